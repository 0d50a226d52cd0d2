// SPDX-License-Identifier: Apache-2.0

import Base
import Runs

/// How well one class is told from all others.
package struct ClassScores: Encodable, Sendable, Equatable {
  /// What the class is called.
  package let name: String
  /// Examples of the class.
  package let examples: Int
  /// Right ones among the answers that name the class; nil where none does.
  package let precision: Double?
  /// Right answers among the examples of the class; nil where there are none.
  package let recall: Double?
  /// 2·precision·recall / (precision + recall), which is 2·right / (answers + examples).
  package let f1: Double?
  /// The chance that an example of the class gets it with a higher probability than one of another
  /// class; nil where there are no examples of either kind.
  package let auc: Double?

  /// The scores of every class.
  ///
  /// - Parameter names: one for each class.
  /// - Complexity: O(C·N·log N) for C classes and N answers.
  package static func all(_ predictions: [Prediction], names: [String]) -> [ClassScores] {
    let confusion = Confusion(predictions, classes: names.count)
    let probabilities = predictions.map(\.logProbabilities)
    return names.indices.map { label in
      let right = confusion.counts[label][label]
      let examples = confusion.counts[label].reduce(0, +)
      let answers = confusion.counts.reduce(0) { $0 + $1[label] }
      return ClassScores(
        name: names[label], examples: examples, precision: ratio(right, answers),
        recall: ratio(right, examples), f1: ratio(2 * right, answers + examples),
        auc: areaUnderCurve(
          zip(predictions, probabilities).map { (score: $1[label], isPositive: $0.label == label) })
      )
    }
  }

  /// The unweighted means over the classes that have a score.
  package static func mean(_ scores: [ClassScores]) -> ClassScores {
    let mean = { (values: [Double?]) -> Double? in
      let known = values.compactMap { $0 }
      return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    }
    return ClassScores(
      name: "mean", examples: scores.reduce(0) { $0 + $1.examples },
      precision: mean(scores.map(\.precision)), recall: mean(scores.map(\.recall)),
      f1: mean(scores.map(\.f1)), auc: mean(scores.map(\.auc)))
  }

  private static func ratio(_ part: Int, _ whole: Int) -> Double? {
    whole == 0 ? nil : Double(part) / Double(whole)
  }
}

/// The area under the receiver operating characteristic: the share of pairs of a positive and a
/// negative example of which the positive one has the higher score, equal scores counting half.
///
///     (R − P·(P + 1)/2) / (P·N)
///
/// with P positive and N negative examples, and R the sum of the positive ones' ranks from 1, equal
/// scores sharing their mean rank.
///
/// - Returns: nil without a positive or without a negative example.
/// - Complexity: O(n·log n).
package func areaUnderCurve(_ scores: [(score: Double, isPositive: Bool)]) -> Double? {
  let positives = scores.count(where: \.isPositive)
  let negatives = scores.count - positives
  guard positives > 0, negatives > 0 else { return nil }
  let sorted = scores.sorted { $0.score < $1.score }
  var (rankSum, place) = (0.0, 0)
  while place < sorted.count {
    let end = sorted[place...].firstIndex { $0.score != sorted[place].score } ?? sorted.count
    let rank = Double(place + 1 + end) / 2
    rankSum += rank * Double(sorted[place..<end].count(where: \.isPositive))
    place = end
  }
  let (p, n) = (Double(positives), Double(negatives))
  return (rankSum - p * (p + 1) / 2) / (p * n)
}
