// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs
import Tasks

extension TrainingRun {
  /// Goes on from the last checkpoint, or from the start where the run was ended before its first.
  func restore(forgetsBest: Bool) throws {
    guard folder.lastStep != nil else {
      if let notes = try CompressionNotes(of: configuration.settings) {
        throw UserError(
          .missingInput,
          "\(folder.path): the compressed model of \(notes.source) was not saved before the end",
          remedy: "remove the folder, and compress \(notes.source) again")
      }
      console.printMessage("the run has saved no checkpoint yet; beginning with step 1")
      return
    }
    let (checkpoint, message) = try folder.loadCheckpoint(.last)
    warn(message)
    try configuration.check(against: checkpoint, folder)
    state = try trainer.restore(checkpoint)
    do {
      warn(try folder.restoreBest(step: state.bestStep))
    } catch let error as UserError where error.kind == .badData && forgetsBest {
      state.forgetBest()
      warn("\(error.problem); the best is chosen from step \(state.step) on")
      try save(best: state.bestStep != nil)
      warn(try folder.restoreBest(step: state.bestStep))
    }
  }

  /// Whether the validation result is that of the present step.
  var isEvaluated: Bool { state.evaluatedStep == state.step }

  /// Evaluates on the validation split and saves.
  ///
  /// - Throws: ``Stop`` where the run is told to stop before the evaluation is done.
  func evaluate(_ data: RunData, _ logs: RunLogs) throws {
    let start = monotonicSeconds()
    let exits = try configuration.model.exits ? answersOfExits(to: data.val) : nil
    let leaving = configuration.exits.leaving
    let ofExits = exits.map { $0.outcome(leavingAt: leaving ?? .infinity).evaluation }
    guard let result = try ofExits ?? evaluation(of: data.val) else {
      throw try stop()
    }
    budget?.noteEvaluation(seconds: monotonicSeconds() - start, examples: result.count)
    let isBest = state.evaluated(
      result, score: exits?.score, isCandidate: trainer.pruning?.isOver(after: state.step) ?? true)
    try logs.validation(step: state.step, result)
    let others = exits?.evaluations.dropLast().map { formatPercent($0.accuracy) } ?? []
    console.printMessage(
      "step \(state.step)  val accuracy \(formatPercent(result.accuracy))  "
        + (others.isEmpty ? "" : "of the exits before \(others.joined(separator: ", "))  ")
        + "val loss " + formatNumber("%.4f", result.loss) + (isBest ? "  best so far" : ""))
    try save(best: isBest)
  }

  /// What all exits say of a split.
  ///
  /// - Throws: ``Stop`` where the run is told to stop.
  private func answersOfExits(to source: any ExampleSource) throws -> ExitAnswers {
    let evaluator = Evaluator(trainer.model, configuration.task, batch: settings.batch)
    guard let answers = try evaluator.exits(source, shouldStop: { Interrupts.stopRequested })
    else { throw try stop() }
    return answers
  }

  /// Evaluates what the run is trained towards; nil where it is told to stop.
  private func evaluation(of source: any ExampleSource) throws -> Evaluation? {
    if let selfPretraining {
      return try selfPretraining.evaluation(
        trainer.model, source, batch: settings.batch, shouldStop: { Interrupts.stopRequested })
    }
    return try group.evaluator(trainer.model, configuration, .val)
      .run(source, shouldStop: { Interrupts.stopRequested })
  }

  /// Saves weights, moments and state.
  func save(best: Bool) throws {
    try group.requireSameWeights(trainer.model)
    let start = monotonicSeconds()
    defer { budget?.noteSave(seconds: monotonicSeconds() - start) }
    // What the log holds of these steps must not be lost while the checkpoint is there.
    state.logBytes = try logs?.synchronize() ?? state.logBytes
    var files = try trainer.checkpoint(state)
    files[RunConfiguration.fileName] = Array(try configuration.settings.json())
    try folder.saveCheckpoint(step: state.step, best: best, files: files)
  }

  /// Saves, and says why the run stops.
  func stop(_ reason: String = Interrupts.stopText ?? "stopped on request") throws -> Stop {
    try save(best: false)
    return Stop(reason: reason)
  }
}
