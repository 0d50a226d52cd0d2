// SPDX-License-Identifier: Apache-2.0

import Base
import CShims
import Foundation
import Synchronization

/// GFLOP/s of our own product on operands that stay in the caches: what the fused
/// operations could reach at best.
///
/// Each thread multiplies the same small tiles, A[64 × 256] · B[256 × 32 or 16], again and again. The
/// best of several rounds counts, as a machine shared with others only ever loses time.
///
/// - Parameters:
///   - precision: of the operands.
///   - threads: threads that multiply at the same time, at least 1.
///   - seconds: how long to measure.
package func measureProductPeak(
  _ precision: Precision = .fp32, threads: Int, seconds: Double = 0.3
) -> Double {
  let (m, n, k) = (64, Panels.width, 256)
  let repeats = 200
  let nanoseconds = fastestRound(threads: threads, seconds: seconds) { workspace in
    let steps = precision.steps(k)
    let a = StridedMatrix(
      base: workspace.zeros(m * steps), rowStride: steps, columnStride: 1, precision: precision)
    let b = workspace.zeros(steps * n)
    let c = workspace.floats(m * n)
    let panels = Panels(packed: b, inner: k, precision: precision)
    return {
      for _ in 0..<repeats {
        gemm(
          rows: m, columns: n, inner: k, a, panels, into: c, stride: n, accumulate: false)
      }
    }
  }
  return Double(2 * m * n * k * repeats * threads) / nanoseconds
}

/// GB/s between the cores and main memory for a = b + s·c on three large arrays, counting two reads
/// and one write.
///
/// The processor reads a line before it writes to it, so the true traffic is a third more.
///
/// Source: McCalpin, "Memory Bandwidth and Machine Balance" (1995), the TRIAD kernel.
///
/// - Parameters:
///   - threads: threads that share the arrays, at least 1.
///   - bytes: the size of all three arrays together, well beyond the caches.
///   - seconds: how long to measure.
package func measureMemoryBandwidth(
  threads: Int, bytes: Int = 256 << 20, seconds: Double = 0.3
) -> Double {
  let share = bytes / (3 * 4 * threads) / laneCount * laneCount
  let nanoseconds = fastestRound(threads: threads, seconds: seconds) { workspace in
    let target = workspace.zeros(share)
    let first = workspace.zeros(share)
    let second = workspace.zeros(share)
    return {
      for i in stride(from: 0, to: share, by: laneCount) {
        store(load(first + i).addingProduct(load(second + i), Lanes(repeating: 3)), target + i)
      }
    }
  }
  return Double(3 * 4 * share * threads) / nanoseconds
}

/// Nanoseconds of the fastest round, in which every thread does its work once, all beginning
/// together; where the system lets fewer start, it is scaled to all.
///
/// It has threads of its own, since the process's keep the number that they were started with.
private func fastestRound(
  threads: Int, seconds: Double, prepare: @escaping @Sendable (Workspace) -> () -> Void
) -> Double {
  let gate = Gate()
  let end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9)
  let rounds: @Sendable (Bool) -> Double = { leads in
    let workspace = Workspace()
    let work = prepare(workspace)
    var best = Double.infinity
    repeat {
      gate.wait()
      let start = DispatchTime.now().uptimeNanoseconds
      work()
      // Before the gate, so that all threads see it behind the gate.
      if leads && DispatchTime.now().uptimeNanoseconds > end { gate.close() }
      gate.wait()
      best = min(best, Double(DispatchTime.now().uptimeNanoseconds - start))
    } while !gate.isClosed
    workspace.reset()
    return best
  }
  // Those that the system lets start.
  let started = (1..<threads).prefix { _ in startThread { _ = rounds(false) } }.count + 1
  gate.expect(started)
  return rounds(true) * Double(threads) / Double(started)
}

/// Where threads wait until the last of them has come.
private final class Gate: Sendable {
  private let threads = Atomic<Int>(.max)
  private let waiting = Atomic<Int>(0)
  private let opened = Atomic<Int>(0)
  private let closed = Atomic<Bool>(false)

  /// Says for how many it opens, before the last of them comes.
  func expect(_ count: Int) { threads.store(count, ordering: .releasing) }

  /// Whether this round is the last.
  var isClosed: Bool { closed.load(ordering: .acquiring) }

  /// Makes this round the last.
  func close() { closed.store(true, ordering: .releasing) }

  func wait() {
    let round = opened.load(ordering: .acquiring)
    if waiting.add(1, ordering: .acquiringAndReleasing).newValue
      == threads.load(ordering: .acquiring)
    {
      waiting.store(0, ordering: .relaxed)
      opened.add(1, ordering: .releasing)
      return
    }
    var spins = 0
    while opened.load(ordering: .acquiring) == round {
      spins += 1
      if spins < 2000 { lra_pause() } else { sched_yield() }
    }
  }
}
