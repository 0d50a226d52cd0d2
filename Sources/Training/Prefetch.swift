import Foundation
import Tasks

/// Makes the next batch on another thread while the model is at work on this one.
public final class Prefetch: @unchecked Sendable {
  private let make: @Sendable (Int) throws -> Batch
  private let queue = DispatchQueue(label: "prefetch", qos: .userInitiated)
  private var pending: (step: Int, item: DispatchWorkItem)?
  private var made: Result<Batch, any Error>?

  /// - Parameter make: the batch of a step, a function of the step alone.
  public init(make: @escaping @Sendable (Int) throws -> Batch) { self.make = make }

  /// The batch of `step`; begins to make that of `step + 1` unless it is beyond `last`.
  ///
  /// - Throws: what making this batch threw.
  public func batch(_ step: Int, last: Int) throws -> Batch {
    let batch = try take(step)
    if step < last { start(step + 1) }
    return batch
  }

  private func take(_ step: Int) throws -> Batch {
    guard let pending, pending.step == step else { return try make(step) }
    pending.item.wait()
    self.pending = nil
    return try made?.get() ?? make(step)
  }

  private func start(_ step: Int) {
    let item = DispatchWorkItem { [self] in made = Result { try make(step) } }
    pending = (step, item)
    queue.async(execute: item)
  }
}
