// SPDX-License-Identifier: Apache-2.0

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
  /// The steps that each was planned with.
  package let steps: Int
  /// The finished runs, by seed.
  package let runs: [RunRecord]
  private let results: [RunResult]

  private struct Key: Hashable {
    let conditions: RunConditions
    let model: String
    let deviations: [String]
    let steps: Int
  }

  private init(_ key: Key, _ runs: [RunRecord]) {
    conditions = key.conditions
    model = key.model
    deviations = key.deviations
    steps = key.steps
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
        steps: result.plannedSteps)
      groups[key, default: [:]][result.seed] = run
    }
    return groups.map { SeedGroup($0.key, Array($0.value.values)) }
      .sorted {
        ($0.conditions, $0.model, $0.steps) < ($1.conditions, $1.model, $1.steps)
      }
  }

  /// Seeds.
  package var count: Int { runs.count }
  /// Mean accuracy on the test split by the preset's rule, in 0…1.
  package var accuracy: Double { mean(results.map(\.test.accuracy)) }
  /// The same of the checkpoints that were best on validation.
  package var bestAccuracy: Double { mean(results.map(\.testBest.accuracy)) }
  /// The same of the last checkpoints.
  package var lastAccuracy: Double { mean(results.map(\.testLast.accuracy)) }
  /// Mean of the best accuracy on validation, by which one may choose; that of the test where the
  /// curves were not kept.
  package var validationAccuracy: Double {
    mean(runs.map { $0.validation.map(\.accuracy).max() ?? $0.accuracy ?? 0 })
  }
  /// The standard deviation of the accuracy over seeds, with n − 1; nil for one seed.
  package var spread: Double? { sampleDeviation(results.map(\.test.accuracy)) }
  /// The standard error of one accuracy from the finite number of test examples.
  package var testError: Double { mean(results.map(\.test.error)) }
  /// Training seconds, mean.
  package var seconds: Double { mean(results.map(\.trainingSeconds)) }
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
  package var error: Double {
    let seeds = spread.map { $0 * $0 / Double(count) } ?? 0
    return (testError * testError + seeds).squareRoot()
  }

  /// Whether two accuracies differ at the 5 % level: by more than 1.96 of their common errors.
  package func isDistinguishable(from other: SeedGroup) -> Bool {
    let common = (error * error + other.error * other.error).squareRoot()
    return abs(accuracy - other.accuracy) > 1.96 * common
  }
}

/// The arithmetic mean, 0 of nothing.
func mean(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}

/// The standard deviation with n − 1; nil for fewer than two values.
func sampleDeviation(_ values: [Double]) -> Double? {
  guard values.count > 1 else { return nil }
  let center = mean(values)
  let squares = values.map { ($0 - center) * ($0 - center) }.reduce(0, +)
  return (squares / Double(values.count - 1)).squareRoot()
}
