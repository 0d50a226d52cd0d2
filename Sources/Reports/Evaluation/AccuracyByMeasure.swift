// SPDX-License-Identifier: Apache-2.0

import Base
import Runs

/// Accuracy by a number that each example has, such as its length: in ranges of about as many
/// examples each, or value by value where there are few.
package struct AccuracyByMeasure: Encodable, Sendable, Equatable {
  /// The examples of one range.
  package struct Range: Encodable, Sendable, Equatable {
    /// The least value that occurs.
    package let from: Int
    /// The greatest value that occurs.
    package let to: Int
    /// Examples.
    package let count: Int
    /// Right answers.
    package let correct: Int
    /// The share of right answers.
    package let accuracy: Double
    /// Its standard error.
    package let accuracyStderr: Double
    /// The share of the commonest class among these examples.
    package let majorityShare: Double
    /// The mean number of blocks that answers took; nil where all took all.
    package let meanBlocks: Double?
  }

  /// What the examples are sorted by, with its unit.
  package let measure: String
  /// From the least values to the greatest.
  package let ranges: [Range]

  /// Sorts answers.
  ///
  /// - Parameters:
  ///   - values: of each answer.
  ///   - most: ranges at most; equal values share one.
  package init(_ measure: String, _ predictions: [Prediction], values: [Int], most: Int = 10) {
    self.measure = measure
    let groups = Dictionary(grouping: zip(predictions, values), by: \.1)
      .sorted { $0.key < $1.key }.map { value, pairs in (value, pairs.map(\.0)) }
    var before = 0
    let placed = groups.map { group in
      // The range in which the first of equal values lies when all are cut into equal parts.
      defer { before += group.1.count }
      return (groups.count <= most ? group.0 : before * most / predictions.count, group)
    }
    ranges = Dictionary(grouping: placed, by: \.0).sorted { $0.key < $1.key }
      .map { Self.range($0.value.map(\.1)) }
  }

  private static func range(_ groups: [(value: Int, predictions: [Prediction])]) -> Range {
    let predictions = groups.flatMap(\.predictions)
    let result = Evaluation(predictions)
    let blocks = predictions.compactMap(\.blocks)
    let counts = Dictionary(grouping: predictions, by: \.label).mapValues(\.count)
    return Range(
      from: groups.first?.value ?? 0, to: groups.last?.value ?? 0, count: result.count,
      correct: result.correct, accuracy: result.accuracy, accuracyStderr: result.error,
      majorityShare: Double(counts.values.max() ?? 0) / Double(max(1, result.count)),
      meanBlocks: blocks.count < predictions.count
        ? nil : Double(blocks.reduce(0, +)) / Double(max(1, blocks.count)))
  }
}
