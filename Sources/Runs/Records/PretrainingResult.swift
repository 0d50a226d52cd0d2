// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// What a training on inputs alone reports, `pretraining.json`: it has no classes to be tested for.
package struct PretrainingResult: Codable, Sendable {
  package static let fileName = "pretraining.json"

  /// The task whose training inputs were learned.
  package var task: String
  /// The model, as the catalog names it.
  package var model: String
  /// `masked` or `causal`.
  package var objective: String
  /// The seed.
  package var seed: UInt64
  /// The hash of the data.
  package var dataHash: String
  /// Steps taken.
  package var steps: Int
  /// Steps that the schedule was made for.
  package var plannedSteps: Int
  /// Why the run ended.
  package var ended: String
  /// The step with the most right answers on the validation split.
  package var bestStep: Int?
  /// The validation inputs at the best step; count is of tokens.
  package var validationBest: Evaluation?
  /// The validation inputs at the last step.
  package var validationLast: Evaluation?
  /// What the best constant answer would reach on them.
  package var majorityShare: Double
  /// Seconds in training steps over all sittings.
  package var trainingSeconds: Double

  /// What came out of a run that is done.
  ///
  /// - Throws: `UserError` where the configuration lacks a key.
  package init(
    _ settings: Settings, _ identity: DataIdentity, _ state: TrainingState, ended: String,
    majorityShare: Double
  ) throws {
    task = try settings.text("task.name")
    model = try settings.text("model.name")
    objective = try settings.text("train.objective")
    seed = UInt64(bitPattern: Int64(try settings.integer("train.seed")))
    dataHash = identity.hash
    steps = state.step
    plannedSteps = try settings.integer("train.steps")
    self.ended = ended
    bestStep = state.bestStep
    validationBest = state.validationOfBest
    validationLast = state.validation
    self.majorityShare = majorityShare
    trainingSeconds = state.trainingSeconds
  }

  /// The summary that ends a run, a line a fact.
  package func summary(folder: String) -> String {
    var lines = [
      "\(objective) tokens     best \(text(validationBest))"
        + (bestStep.map { " (step \($0))" } ?? "") + "   last \(text(validationLast))",
      "chance            \(formatPercent(majorityShare)) (best constant)",
      "training time     \(formatDuration(seconds: trainingSeconds)) for \(steps) steps",
      "run folder        \(folder)",
    ]
    if steps < plannedSteps { lines.append("ended early       \(ended)") }
    lines.append(
      "next              \(programWord) train --task \(task) --model \(model) --set train.initial="
        + shellQuoted(folder))
    return lines.joined(separator: "\n")
  }

  private func text(_ evaluation: Evaluation?) -> String {
    evaluation.map { "\(formatPercent($0.accuracy)), loss \(formatNumber("%.4f", $0.loss))" }
      ?? "not evaluated"
  }
}

extension RunFolder {
  /// What a training on inputs alone reported; nil for other runs, and before its end.
  package var pretrainingResult: PretrainingResult? {
    FileManager.default.contents(atPath: file(PretrainingResult.fileName)).flatMap {
      try? SnakeCaseJSON.decoded(PretrainingResult.self, from: $0)
    }
  }
}
