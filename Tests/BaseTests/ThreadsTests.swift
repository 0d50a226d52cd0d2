// SPDX-License-Identifier: Apache-2.0

import Base
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
}
