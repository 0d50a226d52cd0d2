// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Counts what the kernels do: floating-point operations always, time when profiling.
///
/// Every kernel states the operations its formula needs (a multiply-add counts 2, an exponential
/// counts 1) and the bytes it must move, so that speed can be held against the machine's limits.
package final class Profiler: Sendable {
  /// The process's profiler.
  package static let shared = Profiler()

  private struct State {
    var statistics: [String: OperationStatistics] = [:]
    var times = false
    var pauses = 0
  }

  private let state = Mutex(State())

  /// Forgets everything counted, and times operations from now on or not.
  package func reset(timing: Bool = false) {
    state.withLock {
      $0.statistics = [:]
      $0.times = timing
    }
  }

  /// Runs `body` without counting what it does, on any thread.
  package func pausing<Result>(_ body: () throws -> Result) rethrows -> Result {
    state.withLock { $0.pauses += 1 }
    defer { state.withLock { $0.pauses -= 1 } }
    return try body()
  }

  /// What was counted of each operation, by its name.
  package var statistics: [String: OperationStatistics] { state.withLock { $0.statistics } }

  /// All floating-point operations since the last reset.
  package var flops: Int { statistics.values.reduce(0) { $0 + $1.flops } }

  /// Runs a kernel and adds it to the statistics of the operation `name`.
  func measure(_ name: String, flops: Int, bytes: Int, _ kernel: () -> Void) {
    let times = state.withLock { $0.times }
    let before = WorkCounter.count
    let start = times ? DispatchTime.now().uptimeNanoseconds : 0
    kernel()
    let elapsed = times ? Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9 : 0
    state.withLock { state in
      guard state.pauses == 0 else { return }
      var own = state.statistics[name, default: OperationStatistics()]
      own.calls += 1
      own.seconds += elapsed
      own.flops += flops
      own.bytes += bytes
      own.work += WorkCounter.count - before
      state.statistics[name] = own
    }
  }
}

/// Profiles an operation that only moves `count` floats.
func profileCopy(_ name: String, _ count: Int, _ kernel: () -> Void) {
  Profiler.shared.measure(name, flops: 0, bytes: 8 * count, kernel)
}

/// Profiles an operation that passes `passes` times over x under the name.
func profileRows(_ name: String, _ x: Tensor, passes: Int, _ kernel: () -> Void) {
  Profiler.shared.measure(name, flops: 5 * x.count, bytes: 4 * passes * x.count, kernel)
}
