// SPDX-License-Identifier: Apache-2.0

import Base
import Reports
import Runs
import Training

extension Evaluate {
  /// Checks that there are exits.
  ///
  /// - Throws: `UserError(.usage)` that says how to train them.
  func requireExits(_ saved: SavedModel) throws {
    guard saved.model.configuration.exits else {
      throw UserError(
        .usage, "--exit: the model of \(folder) has no exits",
        remedy:
          "train them from it: \(programWord) train --config \(shellQuoted(folder))/config.json --set "
          + "train.initial=\(shellQuoted(folder)) --set train.exits=mixed")
    }
  }

  /// Lets every exit answer every example.
  func reportExits(_ saved: SavedModel, _ question: Question) throws {
    let task = saved.configuration.task
    let evaluator = Evaluator(
      saved.model, task, batch: batch ?? saved.configuration.training.batch, data: question.hash)
    let stops = { Interrupts.stopRequested }
    guard let answers = try evaluator.exits(question.source, shouldStop: stops),
      let whole = answers.predictions.last
    else {
      throw UserError(
        .stoppedEarly, Interrupts.stopText ?? "stopped on request",
        remedy: "type the command again")
    }
    var summary = EvaluationSummary(
      Evaluation(whole), to: question, run: folder, weights: saved.file, energy: .none)
    let exits = ExitSummary(answers, choosing: [.train, .val].contains(question.split))
    summary.exit = exits
    var tables = exits.tables
    if let by {
      let values = try whole.map { try value(of: $0.id, by, question.source, task) }
      let results = answers.predictions.map { AccuracyByMeasure(by.unit, $0, values: values) }
      summary.byExit = results
      tables.append(EvaluationTables.accuracy(byExit: results))
    }
    try show(summary, tables)
  }
}
