// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs

/// Two models on the same examples: McNemar's test, which looks only at those that one of them has
/// right and the other wrong.
///
///     p = 2 · P(X ≤ min(b, c)),  X ~ Binomial(b + c, ½)
///
/// Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions",
/// Psychometrika 12, 1947; in its exact form.
package struct PairedTest: Sendable, Equatable, Encodable {
  /// Examples that both have right.
  package let bothRight: Int
  /// Examples that only the first has right, b.
  package let onlyFirst: Int
  /// Examples that only the second has right, c.
  package let onlySecond: Int
  /// Examples that both have wrong.
  package let bothWrong: Int

  /// Compares answers; nil where they are not to the same examples.
  package init?(_ first: [Prediction], _ second: [Prediction]) {
    guard first.count == second.count, !first.isEmpty,
      zip(first, second).allSatisfy({ $0.id == $1.id && $0.label == $1.label })
    else { return nil }
    let outcomes = zip(first, second).map { ($0.pred == $0.label, $1.pred == $1.label) }
    bothRight = outcomes.count { $0 && $1 }
    onlyFirst = outcomes.count { $0 && !$1 }
    onlySecond = outcomes.count { !$0 && $1 }
    bothWrong = outcomes.count { !$0 && !$1 }
  }

  /// Examples.
  package var count: Int { bothRight + onlyFirst + onlySecond + bothWrong }

  /// The accuracy of the first minus that of the second, in −1…1.
  package var difference: Double { Double(onlyFirst - onlySecond) / Double(count) }

  /// The standard error of the difference: √(b + c − (b − c)² / n) / n.
  package var error: Double {
    let unequal = Double(onlyFirst + onlySecond)
    let net = Double(onlyFirst - onlySecond)
    return (unequal - net * net / Double(count)).squareRoot() / Double(count)
  }

  /// The chance of so large a difference between two models that are equally good, in 0…1.
  package var probability: Double {
    Self.probability(onlyFirst: onlyFirst, onlySecond: onlySecond)
  }

  /// The same of counts.
  static func probability(onlyFirst: Int, onlySecond: Int) -> Double {
    let more = max(onlyFirst, onlySecond)
    return min(1, 2 * chanceProbability(correct: more, of: onlyFirst + onlySecond, share: 0.5))
  }
}

extension PairedTest {
  private enum Keys: String, CodingKey {
    case bothRight, onlyFirst, onlySecond, bothWrong, difference, error, probability
  }

  /// Writes what follows from the counts too.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(bothRight, forKey: .bothRight)
    try container.encode(onlyFirst, forKey: .onlyFirst)
    try container.encode(onlySecond, forKey: .onlySecond)
    try container.encode(bothWrong, forKey: .bothWrong)
    try container.encode(difference, forKey: .difference)
    try container.encode(error, forKey: .error)
    try container.encode(probability, forKey: .probability)
  }
}
