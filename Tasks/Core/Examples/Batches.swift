// SPDX-License-Identifier: Apache-2.0

import Base
import Synchronization

/// Several examples, their sequences packed back to back without padding.
package struct Batch: Sendable, Equatable {
  /// The tokens of all sequences.
  package var tokens: [Int32]
  /// Sequence s is `tokens[offsets[s]..<offsets[s + 1]]`; examples × towers + 1 entries.
  ///
  /// The towers of one example follow each other.
  package var offsets: [Int]
  /// The class of each example.
  package var labels: [Int32]
  /// The place of each example in its split.
  package var examples: [Int]

  /// Packs what is given; see `makeBatch` for the usual way.
  package init(tokens: [Int32], offsets: [Int], labels: [Int32], examples: [Int]) {
    self.tokens = tokens
    self.offsets = offsets
    self.labels = labels
    self.examples = examples
  }
}

/// Collects the tokens and labels of some examples.
///
/// - Throws: `UserError` where a file that is read on demand can no longer be read.
/// - Complexity: time and memory in proportion to the tokens.
package func makeBatch(
  _ source: any ExampleSource, examples: [Int], towers: Int
) throws -> Batch {
  var batch = Batch(tokens: [], offsets: [0], labels: [], examples: examples)
  for example in examples {
    for tower in 0..<towers {
      try source.append(example, tower: tower, to: &batch.tokens)
      batch.offsets.append(batch.tokens.count)
    }
    batch.labels.append(Int32(source.label(example)))
  }
  return batch
}

/// The endless order of training examples: epoch after epoch, each freshly shuffled.
///
/// It is a pure function of (seed, position), so a resumed run sees what an unbroken one sees.
package struct TrainingOrder: Sendable {
  private let count: Int
  private let seed: UInt64
  private let recent = RecentEpoch()

  /// The order of `count` examples.
  ///
  /// - Precondition: count > 0.
  package init(count: Int, seed: UInt64) {
    precondition(count > 0, "TrainingOrder: there are no examples")
    self.count = count
    self.seed = seed
  }

  /// The examples at positions start..<start + count, counted from the beginning of training.
  ///
  /// - Complexity: O(count); O(examples of an epoch) on entering another epoch.
  package func examples(start: Int, count wanted: Int) -> [Int] {
    (start..<start + wanted).map { position in
      let (epoch, place) = position.quotientAndRemainder(dividingBy: count)
      return recent.order(epoch) { permutation(count: count, seed: seed, epoch: epoch) }[place]
    }
  }
}

/// Remembers the last epoch's order, which nearly every call asks for again.
private final class RecentEpoch: Sendable {
  private let state = Mutex<(epoch: Int, order: [Int])>((-1, []))

  func order(_ epoch: Int, make: () -> [Int]) -> [Int] {
    state.withLock { state in
      if state.epoch != epoch { state = (epoch, make()) }
      return state.order
    }
  }
}

/// The share of the most frequent class: what a model that has learnt nothing reaches.
package func majorityShare(_ labelCounts: [Int]) -> Double {
  let total = labelCounts.reduce(0, +)
  return total == 0 ? 0 : Double(labelCounts.max() ?? 0) / Double(total)
}
