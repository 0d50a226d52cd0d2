// SPDX-License-Identifier: Apache-2.0

import Base
import Models

/// A model small enough for a test; a variant's own settings are adapted to its length.
package func tinyConfiguration(
  _ entry: VariantEntry, length: Int = 20, pooling: Pooling = .mean, dropout: Double = 0
) throws -> ModelConfiguration {
  var configuration = ModelConfiguration(
    name: entry.name, layers: 2, width: 16, heads: 2, feedForward: 24, length: length,
    vocabulary: 17, classes: 4)
  configuration.pooling = pooling
  configuration.dropout = dropout
  configuration.attentionDropout = dropout
  let own = VariantCase.of(entry)
  configuration.options = own.options
  if !own.hasFeedForward { configuration.feedForward = 0 }
  return configuration
}

/// Random sequences with random labels, always the same for the same lengths.
package struct TinyBatch: Sendable {
  /// Each sequence's tokens.
  package let sequences: [[Int32]]
  /// A class for each.
  package let labels: [Int32]

  /// - Parameter lengths: of the sequences.
  package init(lengths: [Int], vocabulary: Int = 17, classes: Int = 4) {
    var random = RandomData("batch \(lengths)")
    sequences = lengths.map { random.integers($0, in: 1..<vocabulary) }
    labels = random.integers(lengths.count, in: 0..<classes)
  }

  /// Some of the sequences, packed in this order.
  ///
  /// - Parameter capacity: the longest sequence that there could be.
  package func packed(_ order: [Int]? = nil, capacity: Int) -> PackedTokens {
    let chosen = (order ?? Array(sequences.indices)).map { sequences[$0] }
    return PackedTokens(
      tokens: chosen.flatMap { $0 }, offsets: offsets(chosen.map(\.count)), capacity: capacity)
  }
}
