import Foundation
import Tasks

/// Makes the next batch on another thread while the model is at work on this one.
public final class Prefetch: @unchecked Sendable {
  private let make: @Sendable (Int) -> Batch
  private let queue = DispatchQueue(label: "prefetch", qos: .userInitiated)
  private var pending: (step: Int, item: DispatchWorkItem)?
  private var made: Batch?

  /// - Parameter make: the batch of a step, a function of the step alone.
  public init(make: @escaping @Sendable (Int) -> Batch) { self.make = make }

  /// The batch of `step`; begins to make that of `step + 1` unless it is beyond `last`.
  public func batch(_ step: Int, last: Int) -> Batch {
    let batch = take(step)
    if step < last { start(step + 1) }
    return batch
  }

  private func take(_ step: Int) -> Batch {
    guard let pending, pending.step == step else { return make(step) }
    pending.item.wait()
    self.pending = nil
    return made ?? make(step)
  }

  private func start(_ step: Int) {
    let item = DispatchWorkItem { [self] in made = make(step) }
    pending = (step, item)
    queue.async(execute: item)
  }
}
