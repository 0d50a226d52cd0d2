// SPDX-License-Identifier: Apache-2.0

import Base
import Machine
import Reports
import Runs
import Tasks

/// The result of `lra evaluate`.
struct EvaluationSummary: Encodable {
  let run: String
  let file: String
  /// Nil for the user's own examples.
  let split: Split?
  /// The user's own examples.
  let input: String?
  let count: Int
  let accuracy: Double
  let accuracyStderr: Double
  let loss: Double
  let majorityShare: Double
  let remark: String?
  let data: DataRelation
  let dataHash: String
  let runDataHash: String?
  let dataSource: String
  /// Of the examples that were answered in this call; nil where nothing is known of it.
  let energy: EnergyEstimate?
  /// By class, where it was asked for.
  var perClass: [ClassScores]?
  /// The unweighted means over the classes.
  var mean: ClassScores?
  /// Examples by right class, then by answer.
  var confusion: [[Int]]?
  /// By length or depth, where it was asked for.
  var by: AccuracyByMeasure?
  /// What exits did, where examples leave by them.
  var exit: ExitSummary?
  /// By length or depth, of each exit.
  var byExit: [AccuracyByMeasure]?

  /// Sums up the answers to a question.
  init(
    _ result: Evaluation, to question: Question, run: String, weights: String,
    energy: EnergyEstimate
  ) {
    self.run = run
    file = weights
    (split, input) = (question.split, question.input)
    (count, accuracy, accuracyStderr) = (result.count, result.accuracy, result.error)
    loss = result.loss
    majorityShare = Tasks.majorityShare(question.source.labelCounts)
    remark = chanceRemark(correct: result.correct, of: result.count, share: majorityShare)
    (data, dataHash, runDataHash) = (question.relation, question.hash, question.runHash)
    dataSource = question.provenance
    self.energy = energy == .none ? nil : energy
  }

  private var remarkOnData: String {
    switch data {
    case .same: ""
    case .other where input != nil: "; OTHER DATA than the run's"
    case .other: "; OTHER DATA than the run's (\(dataHash), not \(runDataHash ?? ""))"
    case .unknown: "; whether the run's own is not known"
    }
  }

  /// The lines for people, without tables.
  ///
  /// - Parameter terms: what energy amounts to.
  func text(_ terms: EnergyTerms) -> String {
    """
    weights   \(file)
    \(input.map { "input     \($0)" } ?? "split     \(split?.rawValue ?? "")"), \(count) examples
    data      \(dataSource)\(remarkOnData)
    accuracy  \(formatPercent(accuracy)) ± \(formatPercent(accuracyStderr)) (standard error)
    loss      \(formatNumber("%.4f", loss)) nats
    chance    \(formatPercent(majorityShare)) (commonest class)\(remark.map { "; \($0)" } ?? "")
    """ + (exit.map { "\n\($0.text)" } ?? "")
      + (energy.map { "\nenergy    \(terms.text($0))" } ?? "")
  }
}
