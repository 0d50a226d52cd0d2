// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Tasks

/// How sure a compressed model has to be of an example for it to leave by an exit: given, or chosen on the
/// validation split for what it may cost.
package enum ExitRule: Sendable, Equatable {
  case confidence(Double)
  /// The most accuracy that may be lost, as a share of examples.
  case loss(Double)

  /// - Parameter text: a probability, as `0.95`, or `loss=1%`.
  /// - Throws: `UserError(.usage)` that says what is allowed.
  package init(_ text: String) throws {
    let loss = text.hasPrefix("loss=") ? text.dropFirst("loss=".count) : nil
    let isPercent = loss?.hasSuffix("%") == true
    let number = Double(isPercent ? loss?.dropLast() ?? "" : loss ?? text[...])
    switch (loss, number) {
    case (nil, let confidence?) where confidence > 0 && confidence <= 1:
      self = .confidence(confidence)
    case (.some, let share?) where (0..<1).contains(isPercent ? share / 100 : share):
      self = .loss(isPercent ? share / 100 : share)
    default:
      throw UserError(
        .usage, "--exits \(text): is neither a probability nor a loss of accuracy",
        remedy:
          "give more than 0 and at most 1, as --exits 0.95, or --exits loss=1% for the earliest exits "
          + "that cost no more on the validation split")
    }
  }

  /// The confidence, and how it came to be.
  ///
  /// - Returns: nil if `shouldStop` answered true.
  /// - Throws: `UserError` where no confidence lets anybody leave early for as little.
  func chosen(
    for model: Classifier, of configuration: RunConfiguration, shouldStop: () -> Bool
  ) throws -> (confidence: Double, numbers: String)? {
    let loss: Double
    switch self {
    case .confidence(let confidence): return (confidence, "exits confidence=\(confidence)")
    case .loss(let share): loss = share
    }
    let evaluator = Evaluator(model, configuration.task, batch: configuration.training.batch)
    guard
      let answers = try evaluator.exits(configuration.task.examples(.val), shouldStop: shouldStop)
    else { return nil }
    let least = (answers.evaluations.last?.accuracy ?? 0) - loss
    let outcomes = ExitAnswers.confidences.map(answers.outcome)
    guard
      let best = outcomes.filter({ $0.evaluation.accuracy >= least })
        .min(by: { $0.meanBlocks < $1.meanBlocks }), best.meanBlocks < Double(model.blockCount)
    else {
      throw UserError(
        .usage,
        "--exits loss=\(loss): nobody may leave early for as little on the validation split",
        remedy:
          "allow more, or train the exits for longer; lra evaluate RUN --split val --exit all shows what "
          + "each confidence costs")
    }
    return (
      best.confidence,
      "exits loss=\(loss) confidence=\(best.confidence) of val, "
        + "\(formatNumber("%.2f", best.meanBlocks)) blocks"
    )
  }
}
