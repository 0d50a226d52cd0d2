// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The standard error of an accuracy measured on `count` examples.
///
///     √(p·(1 − p) / n)
///
/// - Parameters:
///   - accuracy: the share answered correctly, in 0…1.
///   - count: examples, above zero.
package func standardError(accuracy: Double, count: Int) -> Double {
  (accuracy * (1 - accuracy) / Double(count)).squareRoot()
}

/// The value in the middle, or the mean of the two there.
///
/// - Parameter values: at least one.
package func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return (sorted[(values.count - 1) / 2] + sorted[values.count / 2]) / 2
}

/// The value that a share of all do not exceed, the nearest rank.
///
/// - Parameters:
///   - share: in 0…1.
///   - values: at least one.
package func quantile(_ share: Double, of values: [Double]) -> Double {
  let rank = Int((share * Double(values.count)).rounded(.up))
  return values.sorted()[min(max(rank, 1), values.count) - 1]
}

/// The chance of at least `correct` right answers out of `count` when each is right with
/// probability `share`: the exact one-sided binomial test.
///
/// - Parameters:
///   - correct: right answers, 0…count.
///   - count: examples.
///   - share: what blind guessing reaches, in 0…1, such as the share of the commonest class.
/// - Complexity: O(count) time.
package func chanceProbability(correct: Int, of count: Int, share: Double) -> Double {
  if correct <= 0 { return 1 }
  if share <= 0 { return 0 }
  if share >= 1 { return 1 }
  let n = Double(count)
  var sum = 0.0
  for hits in stride(from: count, through: correct, by: -1) {
    let k = Double(hits)
    let ways = logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
    sum += exp(ways + k * log(share) + (n - k) * log(1 - share))
  }
  return min(1, sum)
}

/// A remark for a result that guessing the commonest class explains as well, or `nil`.
///
/// - Parameters:
///   - share: the share of the commonest class, in 0…1.
///   - level: the probability above which chance is an explanation.
package func chanceRemark(
  correct: Int, of count: Int, share: Double, level: Double = 0.05
) -> String? {
  let probability = chanceProbability(correct: correct, of: count, share: share)
  guard probability > level else { return nil }
  return String(format: "no better than chance (p = %.2g)", probability)
}

private func logGamma(_ x: Double) -> Double { lgamma(x).0 }

/// Watches the training accuracy and says, once, when it has sat at chance for long.
///
/// Pathfinder runs in particular can stay at a loss of ln 2 for their whole length, on some seeds
/// only (google-research/long-range-arena#37).
package struct ChanceMonitor: Sendable {
  private let share: Double
  private let patience: Int
  private var lastAboveChance: Int
  private var done = false

  /// Starts watching.
  ///
  /// - Parameters:
  ///   - majorityShare: the share of the commonest class in the training data, in 0…1.
  ///   - steps: steps of the whole run.
  ///   - patience: the share of the run at chance after which to speak, in 0…1; never less than a
  ///     hundred steps.
  ///   - step: the last step already done, 0 for a fresh run.
  package init(majorityShare: Double, steps: Int, patience: Double = 0.2, after step: Int = 0) {
    share = majorityShare
    lastAboveChance = step
    self.patience = max(100, Int((Double(steps) * patience).rounded(.up)))
  }

  /// Takes in the training results since the previous call.
  ///
  /// - Parameters:
  ///   - step: the step just done, counted from 1.
  ///   - correct: right answers since the previous call.
  ///   - count: examples since the previous call.
  ///   - loss: their mean loss.
  /// - Returns: a warning, at most once in a run.
  package mutating func observe(step: Int, correct: Int, of count: Int, loss: Double) -> String? {
    guard !done, count > 0 else { return nil }
    // One window in a thousand may look better than chance by luck and start the wait anew.
    if chanceProbability(correct: correct, of: count, share: share) < 0.001 {
      lastAboveChance = step
      return nil
    }
    guard step - lastAboveChance >= patience else { return nil }
    done = true
    let accuracy = formatPercent(Double(correct) / Double(count))
    return """
      training has stayed at chance for \(step - lastAboveChance) steps: accuracy \(accuracy), the \
      commonest class alone gives \(formatPercent(share)), loss \(formatNumber("%.4f", loss)); \
      another seed or learning rate may help
      """
  }
}
