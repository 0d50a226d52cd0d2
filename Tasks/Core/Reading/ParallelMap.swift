// SPDX-License-Identifier: Apache-2.0

import Base
import Synchronization

/// What a function gives for 0..<count, in that order, worked out by several threads.
///
/// - Parameters:
///   - workers: threads; each takes the next number that is left.
///   - body: must not depend on the order of its calls.
/// - Throws: `UserError(.stoppedEarly)` soon after a signal has asked to stop.
func parallelMap<Value: Sendable>(
  _ count: Int, workers: Int, _ body: @Sendable (Int) -> Value
) throws -> [Value] {
  let results = Mutex([Value?](repeating: nil, count: count))
  concurrently(count, threads: workers) { number in
    if Interrupts.stopRequested { return }
    let value = body(number)
    results.withLock { $0[number] = value }
  }
  try Interrupts.check()
  return results.withLock { $0.compactMap { $0 } }
}
