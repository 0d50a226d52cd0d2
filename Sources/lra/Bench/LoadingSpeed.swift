// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks

/// How fast one thread makes batches of the training split in a run's order, with no model at work.
struct LoadingSpeed: Encodable {
  /// Examples of a batch.
  let batch: Int
  let batchesPerSecond: Double

  private static let seconds = 0.5

  /// Makes batches for half a second, at least one; nil without examples.
  init?(_ source: any ExampleSource, towers: Int) throws {
    guard source.count > 0 else { return nil }
    batch = 32
    let order = TrainingOrder(count: source.count, seed: 0)
    let start = monotonicSeconds()
    var made = 0
    repeat {
      let examples = order.examples(start: made * batch, count: batch)
      _ = try makeBatch(source, examples: examples, towers: towers)
      made += 1
    } while monotonicSeconds() - start < Self.seconds
    batchesPerSecond = Double(made) / (monotonicSeconds() - start)
  }

  /// The line of the card.
  var text: String {
    "Loading: \(formatCount(Int(batchesPerSecond.rounded()))) batches of \(batch) examples a second "
      + "on one thread"
  }
}
