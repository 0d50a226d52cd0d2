// SPDX-License-Identifier: Apache-2.0

import Base
import Models

/// What the checker of variants must know of one beside its catalog entry.
package struct VariantCase: Sendable {
  /// A property that a variant's own formula excludes.
  package enum Property: Sendable {
    /// Dropping attention weights; the variant has none.
    case dropsWeights
    /// There are heads, and their order does not matter.
    case headOrder
  }

  /// How the values of a weight lie for two heads.
  package enum HeadAxis: Sendable {
    /// The first half of the values is the first head's.
    case rows
    /// The first half of every row is the first head's.
    case columns
    /// The weight named `….0` is the first head's, `….1` the second's.
    case number
  }

  /// Its settings for sequences of up to 20 tokens; everything else at its default.
  package var options: [String: Setting] = [:]
  /// Settings that grow with the length, where the cost in the catalog supposes it.
  package var optionsAtLength: (@Sendable (Int) -> [String: Setting])?
  /// Whether its blocks have a feed-forward network in the protocol it comes with.
  package var hasFeedForward = true
  /// What does not hold for it.
  package var exempt: Set<Property> = []
  /// Weights with a part for each head beside query, key, value and output, by the name within the
  /// mixer.
  package var heads: [String: HeadAxis] = [:]
  /// Weights, by the name within the mixer, that have no effect in the last block of a model with CLS
  /// pooling.
  package var idleWithClassToken: Set<String> = []

  /// The case of a variant.
  package static func of(_ entry: VariantEntry) -> VariantCase { all[entry.name] ?? VariantCase() }

  /// Variants that need more than the defaults.
  private static let all: [String: VariantCase] = [
    "local": VariantCase(options: ["block": 4]),
    "sparse": VariantCase(options: ["summary": 2]),
    "longformer": VariantCase(
      options: ["window": 6],
      heads: [
        "global-query.weight": .rows, "global-key.weight": .rows, "global-value.weight": .rows,
      ],
      // The class token's row comes from the global projections, and no other row is used.
      idleWithClassToken: ["query.weight", "key.weight", "value.weight"]),
    // Random blocks belong to the numbers of the heads, not to weights.
    "bigbird": VariantCase(options: ["block": 2, "random": 1], exempt: [.headOrder]),
    "reformer": VariantCase(options: ["chunk": 6], heads: ["rotations": .rows]),
    "linformer": VariantCase(
      options: ["projected": 8],
      heads: ["projection.key.0": .number, "projection.value.0": .number]),
    "performer": VariantCase(heads: ["features": .rows]),
    "cosformer": VariantCase(
      heads: ["query.bias": .rows, "key.bias": .rows, "value.bias": .rows]),
    "nystromformer": VariantCase(
      options: ["landmarks": 6, "conv": 5], exempt: [.dropsWeights],
      heads: ["conv.weight": .rows]),
    "luna": VariantCase(options: ["packed": 6], heads: ["context.weight": .rows]),
    "sinkhorn": VariantCase(
      options: ["block": 4],
      optionsAtLength: { ["block": .integer(Int(Double($0).squareRoot()))] },
      heads: ["sort.weight": .rows]),
    // A transform of rows and columns has neither weights nor heads.
    "fnet": VariantCase(exempt: [.dropsWeights, .headOrder]),
    // Every channel is a system of its own; there are no heads.
    "s4d": VariantCase(
      options: ["states": 8], hasFeedForward: false, exempt: [.dropsWeights, .headOrder]),
    // Every state is a system of its own; there are no heads. The class token comes first, so that
    // only a recurrence that also runs backwards brings it the others.
    "lru": VariantCase(
      options: ["states": 24, "bidirectional": true], hasFeedForward: false,
      exempt: [.dropsWeights, .headOrder]),
    "synthesizer": VariantCase(
      heads: [
        "hidden.weight": .rows, "hidden.bias": .rows, "table.weight": .columns,
        "table.bias": .columns,
      ]),
    "lowrank": VariantCase(
      heads: [
        "query.expand.weight": .rows, "key.expand.weight": .rows, "value.expand.weight": .rows,
        "output.reduce.weight": .columns,
      ]),
  ]
}
