// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Synchronization
import Testing

@Suite("Threads")
struct ThreadsTests {
  @Test("Every number is taken once, whatever the number of threads", arguments: [1, 2, 9])
  func concurrent(threads: Int) {
    let seen = Mutex([Int](repeating: 0, count: 100))
    concurrently(100, threads: threads) { number in seen.withLock { $0[number] += 1 } }
    #expect(seen.withLock { $0 } == [Int](repeating: 1, count: 100))
    concurrently(0, threads: threads) { _ in Issue.record("there is nothing to do") }
  }

  /// Everyone waits for the last, so that no thread can take two numbers: with fewer threads than
  /// numbers nobody would come.
  @Test("Without a number there are as many threads as cores that the process may use")
  func usual() {
    let arrival = NSCondition()
    let seen = Mutex<Set<pthread_t>>([])
    concurrently(usableCores) { _ in
      arrival.lock()
      defer { arrival.unlock() }
      let arrived = seen.withLock {
        $0.insert(pthread_self())
        return $0.count
      }
      if arrived == usableCores { arrival.broadcast() }
      let end = Date(timeIntervalSinceNow: 20)
      while seen.withLock({ $0.count }) < usableCores, arrival.wait(until: end) {}
    }
    #expect(seen.withLock { $0.count } == usableCores)
    seen.withLock { $0 = [] }
    concurrently(1000) { _ in seen.withLock { _ = $0.insert(pthread_self()) } }
    #expect(seen.withLock { $0.count } <= usableCores)
  }
}
