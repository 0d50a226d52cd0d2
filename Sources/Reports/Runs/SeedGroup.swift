// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Runs

/// Runs that differ in nothing but their seed.
package struct SeedGroup: Sendable {
  /// The conditions.
  package let conditions: RunConditions
  /// The model's name.
  package let model: String
  /// What was changed besides; see `RunRecord.deviations`.
  package let deviations: [String]
  /// The steps that each was planned with; see `steps` for those taken.
  package let plannedSteps: Int
  /// The finished runs, by seed.
  package let runs: [RunRecord]
  private let results: [RunResult]

  private struct Key: Hashable {
    let conditions: RunConditions
    let model: String
    let deviations: [String]
    let plannedSteps: Int
  }

  private init(_ key: Key, _ runs: [RunRecord]) {
    conditions = key.conditions
    model = key.model
    deviations = key.deviations
    plannedSteps = key.plannedSteps
    self.runs = runs.sorted { ($0.result?.seed ?? 0) < ($1.result?.seed ?? 0) }
    results = self.runs.compactMap(\.result)
  }

  /// The groups of finished runs; of two runs with the same seed the later path counts.
  package static func all(_ runs: [RunRecord]) -> [SeedGroup] {
    var groups: [Key: [UInt64: RunRecord]] = [:]
    for run in runs {
      guard let conditions = RunConditions(run), let result = run.result else { continue }
      let key = Key(
        conditions: conditions, model: result.model, deviations: run.deviations,
        plannedSteps: result.plannedSteps)
      groups[key, default: [:]][result.seed] = run
    }
    return groups.map { SeedGroup($0.key, Array($0.value.values)) }
      .sorted {
        ($0.conditions, $0.model, $0.plannedSteps) < ($1.conditions, $1.model, $1.plannedSteps)
      }
  }

  /// The groups by validation, by which one may choose, the best first; those whose validation is not
  /// known follow in the order of their test accuracy.
  package static func ranked(_ groups: [SeedGroup]) -> [SeedGroup] {
    groups.sorted {
      ($0.validationAccuracy ?? -1, $0.accuracy) > ($1.validationAccuracy ?? -1, $1.accuracy)
    }
  }

  /// Seeds.
  package var count: Int { runs.count }
  /// The steps that were taken, the fewest to the most over seeds; a limit of time ends runs early.
  package var steps: ClosedRange<Int> {
    let taken = results.map(\.steps)
    return (taken.min() ?? 0)...(taken.max() ?? 0)
  }
  /// The steps that were taken, and of how many where a run ended early: `4,102 of 20,000`.
  package var stepsText: String {
    let taken = rangeText(steps)
    return steps.lowerBound < plannedSteps ? "\(taken) of \(formatCount(plannedSteps))" : taken
  }
  /// Mean accuracy on the test split by the preset's rule, in 0…1.
  package var accuracy: Double { mean(results.map(\.test.accuracy)) }
  /// The same of the checkpoints that were best on validation.
  package var bestAccuracy: Double { mean(results.map(\.testBest.accuracy)) }
  /// The same of the last checkpoints.
  package var lastAccuracy: Double { mean(results.map(\.testLast.accuracy)) }
  /// Mean accuracy on validation of the checkpoints that `accuracy` is of, in 0…1; nil where a run
  /// did not keep it.
  package var validationAccuracy: Double? {
    let known = runs.compactMap(\.validationAccuracy)
    return known.count == count ? mean(known) : nil
  }
  /// The standard error of `validationAccuracy`, as `error` is that of the test.
  package var validationError: Double {
    let share = validationAccuracy ?? 0
    let examples = results.compactMap {
      ($0.validationBest ?? $0.validationLast ?? $0.validation)?.count
    }
    return withSpread(
      standardError(accuracy: share, count: max(examples.max() ?? 1, 1)),
      sampleDeviation(runs.compactMap(\.validationAccuracy)))
  }
  /// The standard deviation of the accuracy over seeds, with n − 1; nil for one seed.
  package var spread: Double? { sampleDeviation(results.map(\.test.accuracy)) }
  /// The standard error of one accuracy from the finite number of test examples.
  package var testError: Double { mean(results.map(\.test.error)) }
  /// Training seconds, mean.
  package var seconds: Double { mean(results.map(\.trainingSeconds)) }
  /// The energy of training one seed, the mean over the runs; `none` where one is not known.
  package func energy(_ terms: EnergyTerms) -> EnergyEstimate {
    (EnergyEstimate.total(runs.map { $0.energy(terms) }) ?? .none) / Double(max(1, count))
  }
  /// Optimizer steps a second, mean.
  package var stepsPerSecond: Double { mean(results.map(\.stepsPerSecond)) }
  /// The most memory, bytes.
  package var peakResidentBytes: Int { results.map(\.peakResidentBytes).max() ?? 0 }
  /// Weights.
  package var parameters: Int { results.first?.parameters ?? 0 }
  /// What always answering the commonest class reaches, in 0…1.
  package var majorityShare: Double { results.first?.majorityShare ?? 0 }
  /// Runs that are better than chance at the 5 % level.
  package var escaped: Int { results.count { $0.remark == nil } }

  /// The standard error of the mean accuracy: test examples, and seeds where there are several.
  ///
  ///     √(testError² + spread² / n)
  ///
  /// The spread holds some of the test's error already, so that this is rather too wide.
  package var error: Double { withSpread(testError, spread) }

  private func withSpread(_ error: Double, _ spread: Double?) -> Double {
    let seeds = spread.map { $0 * $0 / Double(count) } ?? 0
    return (error * error + seeds).squareRoot()
  }

  /// The values that keys have in the group, as `train.clip=1`; a key that it does not know is left out.
  func assignments(_ keys: [String]) -> [String] {
    keys.compactMap { key in runs.first?.settings[key].map { "\(key)=\($0)" } }
  }

  /// Whether two accuracies on the test split differ at the 5 % level.
  package func isDistinguishable(from other: SeedGroup) -> Bool {
    differs(accuracy - other.accuracy, errors: error, other.error)
  }
}

/// Whether a difference is more than 1.96 of the common error of its two numbers: the 5 % level.
func differs(_ difference: Double, errors first: Double, _ second: Double) -> Bool {
  abs(difference) > 1.96 * (first * first + second * second).squareRoot()
}

/// `500`, or `500 to 4,000`.
func rangeText(_ range: ClosedRange<Int>) -> String {
  range.count == 1
    ? formatCount(range.lowerBound)
    : "\(formatCount(range.lowerBound)) to \(formatCount(range.upperBound))"
}

/// The arithmetic mean, 0 of nothing.
func mean(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}

/// The middle value, the mean of both of an even number; 0 of nothing.
func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return 0 }
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// The standard deviation with n − 1; nil for fewer than two values.
func sampleDeviation(_ values: [Double]) -> Double? {
  guard values.count > 1 else { return nil }
  let center = mean(values)
  let squares = values.map { ($0 - center) * ($0 - center) }.reduce(0, +)
  return (squares / Double(values.count - 1)).squareRoot()
}
