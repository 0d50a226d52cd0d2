// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Synchronization
import TestSupport
import Testing

/// What every case of the table computes, and sums over many rows, as one number a line.
private func digests() -> String {
  let cases = OpCases.all.map { op in
    let bytes = op.run().flatMap { $0 }.map { String($0, radix: 36) }.joined(separator: " ")
    return "\(op.name): \(fnv1a(bytes))"
  }
  return (cases + rowSums()).joined(separator: "\n")
}

/// The gradients of a norm, as bits, over five, eleven and sixteen pieces of rows.
///
/// One thread adds all of them up, two or three take parts of their tree, and five take them one by
/// one. The gradient of the shift is known.
private func rowSums() -> [String] {
  [1300, 3368, 4096].map { rows in
    var random = RandomData("sums over \(rows) rows")
    let width = 16
    let norm = Norm(
      scale: Tensor(shape: [width], random.floats(width)).tracked,
      shift: Tensor(shape: [width], random.floats(width)).tracked)
    let y = layerNorm(Tensor(shape: [rows, width], random.floats(rows * width)), norm: norm)
    let sum = projectSequence(
      y, projections: [Tensor(shape: [1, rows], [Float](repeating: 1, count: rows))], groups: [0],
      sequences: PackedSequences(count: 1, length: rows))
    let weight = random.floats(width)
    linear(sum, weight: Tensor(shape: [1, width], weight)).backward()
    let shift = norm.shift.gradient?.values ?? []
    #expect(distance(shift, weight.map { $0 * Float(rows) }) <= 1e-5 * Float(rows))
    return (shift + (norm.scale.gradient?.values ?? [])).map { String($0.bitPattern, radix: 36) }
      .joined(separator: " ")
  }
}

extension EngineTests {
  /// Results must not depend on who computes them.
  ///
  /// The number of threads is fixed before the first operation of a process, so each number gets a
  /// process.
  @Suite("Threads")
  struct ThreadTests {
    @Test("Any number of threads gives the same bits")
    func threadCounts() async throws {
      let one = try await #require(
        processExitsWith: .success, observing: [\.standardOutputContent]
      ) {
        Workers.shared.limit(to: 1)
        print(digests())
      }
      let two = try await #require(
        processExitsWith: .success, observing: [\.standardOutputContent]
      ) {
        Workers.shared.limit(to: 2)
        print(digests())
      }
      let three = try await #require(
        processExitsWith: .success, observing: [\.standardOutputContent]
      ) {
        Workers.shared.limit(to: 3)
        print(digests())
      }
      let five = try await #require(
        processExitsWith: .success, observing: [\.standardOutputContent]
      ) {
        Workers.shared.limit(to: 5)
        print(digests())
      }
      let lines = [one, two, three, five].map {
        String(decoding: $0.standardOutputContent, as: UTF8.self).split(separator: "\n")
      }
      #expect(lines[0].count >= OpCases.all.count + 3)
      for other in lines[1...] {
        #expect(other.count == lines[0].count)
        for (a, b) in zip(lines[0], other) { #expect(a == b) }
      }
    }

    @Test("Where the system lets fewer threads start, those that there are do all of the work")
    func fewerThreads() {
      for allowed in [0, 2] {
        let started = Atomic(0)
        let workers = Workers(count: 5) { body in
          started.add(1, ordering: .relaxed).oldValue < allowed && startThread(body)
        }
        let seen = Mutex([Int](repeating: 0, count: 50))
        workers.run(50) { piece, _ in seen.withLock { $0[piece] += 1 } }
        #expect(seen.withLock { $0 } == [Int](repeating: 1, count: 50))
        #expect(workers.start() == allowed + 1)
      }
    }

    /// 1e-20 · 1e-20 is below the normal numbers: a thread that keeps it where another makes it
    /// zero gives other bits.
    @Test("Every calling thread flushes denormal numbers, not only the first")
    func denormals() async {
      await #expect(processExitsWith: .success) {
        let product = { @Sendable in
          linear(Tensor(shape: [1, 1], [1e-20]), weight: Tensor(shape: [1, 1], [1e-20])).scalar
        }
        for _ in 0..<2 {
          let done = DispatchSemaphore(value: 0)
          Thread {
            #expect(product() == 0)
            done.signal()
          }.start()
          done.wait()
        }
      }
    }
  }
}
