// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Foundation
import Runs
import Tasks
import Training

/// `lra evaluate`: loss and accuracy of a run's checkpoint on a split.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluate a run's checkpoint on a split.")

  @Argument(
    help: ArgumentHelp(
      "A run folder, or a folder with config.json and model.safetensors.", valueName: "run"),
    transform: pathArgument)
  var folder: String
  @Option(help: "The split: train, val or test.")
  var split: Split = .test
  @Option(help: "The checkpoint: best or last.")
  var checkpoint: CheckpointChoice = .best
  @Option(
    help: "Write every prediction to this file, one JSON object a line.", transform: pathArgument)
  var predictions: String?
  @Option(parsing: .unconditional, help: "Examples at once; the result does not depend on it.")
  var batch: Int?
  @Option(
    help: "Where data lives. Default: the run's own, or $LRA_DATA or data.", transform: pathArgument
  )
  var data: String?
  @Option(help: "Threads. Default: all cores, or $LRA_THREADS.")
  var threads: Int?
  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    if let threads { try useThreads(threads) }
    if let batch { try require("--batch", batch, atLeast: 1) }
    Interrupts.install()
    let saved = try SavedModel(
      folder, choice: checkpoint, dataFolder: dataFolder(data, ofRun: folder))
    if let message = saved.message { printMessage("warning: \(message)") }
    let task = saved.configuration.task
    try task.prepare { printMessage($0) }
    let source = try task.examples(split)
    let question = try Question(task, folder)
    if let warning = question.warning { printMessage("warning: \(warning)") }
    let answers = try answers(saved, source, question)
    if let predictions {
      try writeOutput(answers.flatMap(PredictionFile.line), to: predictions)
    }
    try report(Evaluation(answers), source, saved, question)
  }

  /// All answers, those that an interrupted call left in the run's folder among them.
  private func answers(
    _ saved: SavedModel, _ source: any ExampleSource, _ question: Question
  ) throws -> [Prediction] {
    let task = saved.configuration.task
    let evaluator = Evaluator(
      saved.model, task, batch: batch ?? saved.configuration.training.batch,
      data: question.hash)
    guard let log = try openLog(saved, question, source.count) else {
      var answers: [Prediction] = []
      try evaluate(evaluator, source, from: 0) { answers.append($0) }
      return answers
    }
    let first = log.predictions.count
    if first > 0 { printMessage("going on after \(first) of \(source.count) examples") }
    try evaluate(evaluator, source, from: first, visit: log.append)
    try log.finish()
    return log.predictions
  }

  /// The file that keeps the answers, the run's own or one for these data; nil, with a warning, where the folder cannot be written.
  private func openLog(
    _ saved: SavedModel, _ question: Question, _ count: Int
  ) throws -> PredictionLog? {
    let header = try PredictionLog.Header(
      weightsFile: saved.file, data: question.hash, count: count)
    let path =
      question.relation == .other
      ? PredictionFile.path(in: folder, split, checkpoint, otherData: question.hash)
      : PredictionFile.path(in: folder, split, checkpoint)
    do {
      return try PredictionLog(path: path, header)
    } catch let error as UserError where error.kind == .cannotWrite {
      printMessage(
        "warning: \(error.problem); the answers are not kept, and an interruption loses them")
      return nil
    }
  }

  private func evaluate(
    _ evaluator: Evaluator, _ source: any ExampleSource, from first: Int,
    visit: (Prediction) throws -> Void
  ) throws {
    let result = try evaluator.run(
      source, from: first, shouldStop: { Interrupts.stopRequested }, visit: visit)
    guard result == nil else { return }
    throw UserError(
      .stoppedEarly, "stopped (\(Interrupts.stopReason ?? "on request"))",
      remedy: "type the same command again to go on")
  }

  private func report(
    _ result: Evaluation, _ source: any ExampleSource, _ saved: SavedModel,
    _ question: Question
  ) throws {
    let share = majorityShare(source.labelCounts)
    let remark = chanceRemark(correct: result.correct, of: result.count, share: share)
    let summary = EvaluationSummary(
      run: folder, file: saved.file, split: split, count: result.count, accuracy: result.accuracy,
      accuracyStderr: result.error, loss: result.loss, majorityShare: share, remark: remark,
      data: question.relation, dataHash: question.hash, runDataHash: question.runHash,
      dataSource: question.source)
    try printResult(json ? try jsonText(summary) : summary.text)
  }
}

/// The data that a model is asked about, and how they stand to those of its run.
private struct Question {
  let hash: String
  let source: String
  let runHash: String?
  let relation: DataRelation

  init(_ task: any ArenaTask, _ folder: String) throws {
    hash = try task.contentHash()
    source = try task.provenance()
    runHash = try RunFolder.open(folder).dataHash()
    relation = DataRelation(hash, toRun: runHash)
  }

  /// What to tell before the answers are worked out.
  var warning: String? {
    switch relation {
    case .same: nil
    case .other:
      "other data than the run's: content \(hash), \(source); the run's is \(runHash ?? ""). "
        + "The answers are kept apart; --data names the run's data folder"
    case .unknown: "the run does not say what its data were; these are \(source)"
    }
  }
}

/// The result of `lra evaluate`.
private struct EvaluationSummary: Encodable {
  let run: String
  let file: String
  let split: Split
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

  private var remarkOnData: String {
    switch data {
    case .same: ""
    case .other: "; OTHER DATA than the run's (\(dataHash), not \(runDataHash ?? ""))"
    case .unknown: "; whether the run's own is not known"
    }
  }

  var text: String {
    """
    weights   \(file)
    split     \(split.rawValue), \(count) examples
    data      \(dataSource)\(remarkOnData)
    accuracy  \(formatPercent(accuracy)) ± \(formatPercent(accuracyStderr)) (standard error)
    loss      \(formatNumber("%.4f", loss))
    chance    \(formatPercent(majorityShare)) (commonest class)\(remark.map { "; \($0)" } ?? "")
    """
  }
}

extension Split: ExpressibleByArgument {}
extension CheckpointChoice: ExpressibleByArgument {}
