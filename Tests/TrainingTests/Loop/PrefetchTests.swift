// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Synchronization
import Tasks
import Testing
import Training

@Suite struct PrefetchTests {
  private func batch(_ step: Int) -> Batch {
    Batch(tokens: [Int32(step)], offsets: [0, 1], labels: [0], examples: [step])
  }

  @Test("Every step gets its own batch, whatever the order")
  func order() throws {
    let prefetch = Prefetch { step in self.batch(step) }
    for step in [1, 2, 3, 7, 2] { #expect(try prefetch.batch(step, last: 9) == batch(step)) }
  }

  @Test("The next batch is made while the caller is at work on this one, and none beyond the last")
  func ahead() throws {
    let made = Mutex<[Int]>([])
    let done = DispatchSemaphore(value: 0)
    let prefetch = Prefetch { step in
      made.withLock { $0.append(step) }
      defer { done.signal() }
      return self.batch(step)
    }
    for step in 1...3 {
      #expect(try prefetch.batch(step, last: 3) == batch(step))
      // Nobody has asked for the next one; the time is that of a failure only.
      for _ in 0..<(step == 1 ? 2 : step < 3 ? 1 : 0) {
        #expect(done.wait(timeout: .now() + 60) == .success)
      }
      #expect(made.withLock { $0 } == Array(1...min(step + 1, 3)))
    }
  }

  @Test("What making a batch ahead throws is thrown when the batch is asked for")
  func failure() throws {
    let prefetch = Prefetch { step in
      guard step < 3 else { throw UserError(.badData, "no batch \(step)", remedy: "none") }
      return self.batch(step)
    }
    for step in 1...2 { #expect(try prefetch.batch(step, last: 9) == batch(step)) }
    let error = #expect(throws: UserError.self) { try prefetch.batch(3, last: 9) }
    #expect(error?.problem == "no batch 3")
  }
}
