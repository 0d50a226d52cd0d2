// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks

/// Makes the next batch on another thread while the model is at work on this one.
///
/// Where the system lets no other thread start, each batch is made when it is asked for.
package final class Prefetch: @unchecked Sendable {
  private let make: @Sendable (Int) throws -> Batch
  private let wanted = DispatchSemaphore(value: 0)
  private let ready = DispatchSemaphore(value: 0)
  /// The step whose batch is being made, nil for none; written only while no batch is being made.
  private var pending: Int?
  private var made: Result<Batch, any Error>?
  private var isRunning: Bool?

  /// - Parameter make: the batch of a step, a function of the step alone.
  package init(make: @escaping @Sendable (Int) throws -> Batch) { self.make = make }

  /// The batch of `step`; begins to make that of `step + 1` unless it is beyond `last`.
  ///
  /// - Throws: what making this batch threw.
  package func batch(_ step: Int, last: Int) throws -> Batch {
    let batch = try take(step)
    if step < last { start(step + 1) }
    return batch
  }

  private func take(_ step: Int) throws -> Batch {
    guard let number = pending else { return try make(step) }
    ready.wait()
    pending = nil
    guard number == step, let made else { return try make(step) }
    return try made.get()
  }

  private func start(_ step: Int) {
    let (wanted, ready) = (wanted, ready)
    if isRunning == nil {
      isRunning = startThread { [weak self] in
        while true {
          wanted.wait()
          guard let self, let step = pending else { return }
          made = Result { try self.make(step) }
          ready.signal()
        }
      }
    }
    guard isRunning == true else { return }
    pending = step
    wanted.signal()
  }

  deinit {
    // The thread finds nothing to make, and ends.
    if isRunning == true { wanted.signal() }
  }
}
