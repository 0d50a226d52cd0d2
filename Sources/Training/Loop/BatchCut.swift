// SPDX-License-Identifier: Apache-2.0

import Tasks

/// How the batch of a step is cut.
///
/// ```
/// batch ─► shards ─► parts        gradient = Σ over shards, pairwise
/// ```
/// Shards are what the gradient is a sum of, in a tree that depends on their number alone
/// (`train.shards`). Ranks share them out, as many to each: the parts of the tree that are theirs have
/// the same bits whoever works through them, and so has the sum. Each part is one pass of the model.
/// Where there is a single shard the parts are those of `train.accumulation`, whose gradients are added
/// to it one after another; of several shards each is one part.
package struct BatchCut {
  private let shards: Int
  private let accumulation: Int

  /// - Precondition: one shard, or a power of two that `accumulation` divides.
  package init(shards: Int, accumulation: Int) {
    precondition(shards == 1 || shards % accumulation == 0, "a cut with unequal members")
    self.shards = shards
    self.accumulation = accumulation
  }

  /// The shards of one of several ranks, which share them out in their order.
  ///
  /// - Precondition: `ranks` divides the number of shards.
  package func shards(of rank: Int, ranks: Int = 1) -> Range<Int> {
    precondition(shards % ranks == 0, "\(shards) shards for \(ranks) ranks")
    let each = shards / ranks
    return rank * each..<(rank + 1) * each
  }

  /// The passes over the whole batch.
  package var partCount: Int { max(shards, accumulation) }

  /// The parts of a shard; a batch with fewer examples than parts has none for some.
  package func parts(of shard: Int, _ batch: Batch, towers: Int) -> [BatchPart] {
    let each = partCount / shards
    return (shard * each..<(shard + 1) * each).compactMap { part in
      let count = batch.labels.count
      let examples = part * count / partCount..<(part + 1) * count / partCount
      return examples.isEmpty ? nil : BatchPart(batch, examples, towers: towers)
    }
  }
}

/// Some examples of a batch, and their place in it.
package struct BatchPart {
  /// The examples, as a batch of their own.
  package let batch: Batch
  /// Sequences of the whole batch before them.
  package let firstSequence: Int
  /// Tokens of the whole batch before them.
  package let firstToken: Int

  package init(_ whole: Batch, _ examples: Range<Int>, towers: Int) {
    firstSequence = examples.lowerBound * towers
    firstToken = whole.offsets[firstSequence]
    batch = examples.count == whole.labels.count ? whole : whole[examples, towers: towers]
  }
}

extension Batch {
  /// Some of the examples.
  fileprivate subscript(examples: Range<Int>, towers towers: Int) -> Batch {
    let first = examples.lowerBound * towers
    let last = examples.upperBound * towers
    let start = offsets[first]
    return Batch(
      tokens: Array(tokens[start..<offsets[last]]),
      offsets: offsets[first...last].map { $0 - start },
      labels: Array(labels[examples]), examples: Array(self.examples[examples]))
  }
}
