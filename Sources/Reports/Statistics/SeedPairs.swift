// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs

/// Two ways to a model, each with a model for every seed, on the same examples: what the second loses.
///
/// Of an example i, xᵢ is the share of seeds with which only the first is right, less that with which only
/// the second is. With n examples
///
///     d = mean xᵢ        SE = √((mean xᵢ² − d²) / n)
///
/// For one seed, with b examples that only the first has right and c that only the second has, these are
/// (b − c)/n and √(b + c − (b − c)²/n)/n. Answers to an example are not taken for independent.
package struct SeedPairs: Sendable, Equatable {
  /// Examples, n.
  package let count: Int
  /// Examples that the first has right with more seeds than the second.
  package let onlyFirst: Int
  /// The reverse.
  package let onlySecond: Int
  /// What the second loses, d, in −1…1.
  package let loss: Double
  /// The standard error of the loss, from the finite number of examples.
  package let error: Double
  /// The loss of each seed.
  package let losses: [Double]

  /// Compares answers, a pair for each seed; nil where they are not all to the same examples.
  package init?(_ pairs: [(first: [Prediction], second: [Prediction])]) {
    let tests = pairs.compactMap { PairedTest($0.first, $0.second) }
    guard let all = pairs.first?.first, tests.count == pairs.count,
      pairs.allSatisfy({ $0.first.map(\.id) == all.map(\.id) })
    else { return nil }
    var net = [Int](repeating: 0, count: all.count)
    for pair in pairs {
      for (place, answers) in zip(pair.first, pair.second).enumerated() {
        net[place] += (answers.0.isRight ? 1 : 0) - (answers.1.isRight ? 1 : 0)
      }
    }
    let seeds = Double(pairs.count)
    let n = Double(all.count)
    let squares = net.reduce(0) { $0 + Double($1 * $1) } / (seeds * seeds * n)
    count = all.count
    onlyFirst = net.count { $0 > 0 }
    onlySecond = net.count { $0 < 0 }
    loss = Double(net.reduce(0, +)) / (seeds * n)
    error = (max(0, squares - loss * loss) / n).squareRoot()
    losses = tests.map(\.difference)
  }

  /// The chance of so uneven answers where both are equally good, in 0…1: McNemar's exact test for one
  /// seed, and the sign test over examples for several.
  package var probability: Double {
    PairedTest.probability(onlyFirst: onlyFirst, onlySecond: onlySecond)
  }

  /// The interval that holds the loss with a probability of 95 %.
  package var interval: ClosedRange<Double> { (loss - 1.96 * error)...(loss + 1.96 * error) }

  /// The smallest margin that these answers show the loss to be below: d + 1.645·SE, one-sided at 5 %.
  package var bound: Double { loss + provable }

  /// The smallest margin that could be shown with so many unequal answers if nothing were lost.
  ///
  /// Where no answer is unequal, SE says nothing: a loss of 1 − 0.05^(1/n) would show in one of twenty.
  package var provable: Double {
    isUnequal ? Self.oneSided * error : 1 - pow(0.05, 1 / Double(count))
  }

  /// The chance of so small a loss where it is the margin in truth, in 0…1: Φ((d − δ)/SE), or that of no
  /// unequal answer.
  package func probability(ofLosing margin: Double) -> Double {
    guard isUnequal else { return pow(1 - margin, Double(count)) }
    guard error > 0 else { return loss < margin ? 0 : 1 }
    return 0.5 * erfc((margin - loss) / error / 2.0.squareRoot())
  }

  private var isUnequal: Bool { error > 0 || loss != 0 }

  /// Whether more than the margin is lost, one-sided at 5 %.
  package func loses(moreThan margin: Double) -> Bool { loss - Self.oneSided * error > margin }

  /// The interval of 95 % from the losses of the seeds alone, by Student's t; nil for fewer than three.
  package var seedInterval: ClosedRange<Double>? {
    guard losses.count > 2, let deviation = sampleDeviation(losses) else { return nil }
    let width =
      studentQuantile(freedom: losses.count - 1) * deviation / Double(losses.count).squareRoot()
    return (loss - width)...(loss + width)
  }

  private static let oneSided = 1.645
}

extension Prediction {
  fileprivate var isRight: Bool { pred == label }
}

/// The 97.5 % quantile of Student's t, to 0.1 %.
///
/// From eleven degrees of freedom on by the expansion around the normal quantile z,
///
///     z + (z³ + z)/4ν + (5z⁵ + 16z³ + 3z)/96ν²
///
/// Source: M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, 1964, 26.7.5.
func studentQuantile(freedom: Int) -> Double {
  let small = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]
  if small.indices.contains(freedom - 1) { return small[freedom - 1] }
  let (z, v) = (1.95996, Double(freedom))
  return z + (pow(z, 3) + z) / (4 * v)
    + (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / (96 * v * v)
}

/// Probabilities of several tests, corrected so that the chance of any false finding among them stays at
/// the level: with m of them in rising order, max over j ≤ i of min(1, (m − j + 1)·pⱼ).
///
/// Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
/// Statistics 6, 1979.
package func holmCorrected(_ probabilities: [Double]) -> [Double] {
  var corrected = probabilities
  var least = 0.0
  let order = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
  for (place, index) in order.enumerated() {
    least = max(least, min(1, Double(probabilities.count - place) * probabilities[index]))
    corrected[index] = least
  }
  return corrected
}
