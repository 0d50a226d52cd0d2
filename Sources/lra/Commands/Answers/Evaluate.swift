// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Foundation
import Machine
import Reports
import Runs
import Tasks
import Training

/// `lra evaluate`: loss and accuracy of a run's checkpoint on a split, or on examples of the user's own.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluate a run's checkpoint on a split, or on examples of your own.",
    usage: "lra evaluate RUN [--split SPLIT | --input PATH] [OPTION ...]",
    discussion: """
      lra evaluate runs/listops-linformer-quick-s0 --by depth
      lra evaluate runs/text-s4d-small-s0 --input my.tsv --per-class
      lra evaluate runs/listops-exits --split val --exit all

      docs/tasks.md says what --input may be for each task.
      """)

  /// What examples can be sorted by.
  enum Measure: String, CaseIterable, ExpressibleByArgument {
    case length
    case depth

    /// What tables call it.
    var unit: String { self == .length ? "length, tokens" : "depth, levels" }
  }

  @Argument(
    help: ArgumentHelp(
      "A run folder, or a folder with config.json and model.safetensors.", valueName: "run"),
    completion: .file(), transform: pathArgument)
  var folder: String
  @Option(help: "The split: train, val or test. Default: test.")
  var split: Split?
  @Option(
    help: "Labelled examples of your own instead, a file or a folder.", completion: .file(),
    transform: pathArgument)
  var input: String?
  @Option(help: "The checkpoint: best or last.")
  var checkpoint: CheckpointChoice = .best
  @Flag(help: "Also precision, recall, F1, AUC by class, and the confusion matrix.")
  var perClass = false
  @Option(help: "Also the accuracy by length, or for listops by depth.")
  var by: Measure?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of a model with exits: let examples leave by the first that is as sure, as 0.95; all: what each knows; none.",
      valueName: "probability"))
  var exit: String?
  @Option(
    help: "Write these tables to this folder, as classes.csv, confusion.csv, by-length.csv.",
    completion: .file(), transform: pathArgument)
  var csv: String?
  @Option(
    help: "Write every prediction to this file, one JSON object a line.", completion: .file(),
    transform: pathArgument)
  var predictions: String?
  @Option(parsing: .unconditional, help: "Examples at once; the result does not depend on it.")
  var batch: Int?
  @Option(
    help: "Where data lives. Default: the run's own, or $LRA_DATA or data.", completion: .file(),
    transform: pathArgument
  )
  var data: String?
  @Option(help: "Threads. Default: all cores, or $LRA_THREADS.")
  var threads: Int?
  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    if let threads { try useThreads(threads) }
    if let batch { try require("--batch", batch, atLeast: 1) }
    try checkFlags()
    let choice = try exit.map(ExitChoice.init)
    Interrupts.install()
    let saved = try SavedModel(
      folder, choice: checkpoint, dataFolder: dataFolder(data, ofRun: folder))
    if let message = saved.message { printMessage("warning: \(message)") }
    let task = saved.configuration.task
    if choice != nil { try requireExits(saved) }
    if by == .depth, task.depth([]) == nil {
      throw UserError(
        .usage, "examples of \(saved.configuration.taskName) have no depth",
        remedy: "sort them by length: --by length")
    }
    let question = try question(task)
    if let warning = question.warning(keepsAnswers: true) { printMessage("warning: \(warning)") }
    if choice == .all { return try reportExits(saved, question) }
    let confidence =
      switch choice {
      case .confidence(let value): value
      case nil: saved.configuration.exits.leaving
      case .all, .whole: nil as Double?
      }
    let (answers, energy) = try answers(saved, question, leavingAt: confidence)
    if let predictions {
      try writeOutput(answers.flatMap(PredictionFile.line), to: predictions)
    }
    var summary = EvaluationSummary(
      Evaluation(answers), to: question, run: folder, weights: saved.file, energy: energy)
    summary.exit = confidence.map {
      ExitSummary(answers, blocks: saved.model.blockCount, leavingAt: $0)
    }
    try report(answers, saved, question, summary)
  }

  private func checkFlags() throws {
    if split != nil, input != nil {
      throw UserError(
        .usage, "--input and --split both say what to evaluate", remedy: "leave one of them out")
    }
    if exit == "all", perClass || predictions != nil {
      throw UserError(
        .usage,
        "--exit all has the answers of several exits, and --per-class and --predictions tell of one",
        remedy: "leave them out, or choose a probability")
    }
    if csv != nil, !perClass, by == nil, exit == nil {
      throw UserError(
        .usage, "--csv writes tables, but none is asked for",
        remedy: "add --per-class or --by length; --predictions writes the single answers")
    }
  }

  private func question(_ task: any ArenaTask) throws -> Question {
    if let input { return try Question(task, input: input, run: folder) }
    try task.prepare { printMessage($0) }
    return try Question(task, split ?? .test, run: folder)
  }

  /// All answers, those that an interrupted call left in the run's folder among them, and the energy of
  /// those given now.
  private func answers(
    _ saved: SavedModel, _ question: Question, leavingAt confidence: Double?
  ) throws -> ([Prediction], EnergyEstimate) {
    let task = saved.configuration.task
    let evaluator = Evaluator(
      saved.model, task, batch: batch ?? saved.configuration.training.batch, data: question.hash)
    guard let log = try openLog(saved, question, leavingAt: confidence) else {
      var answers: [Prediction] = []
      let energy = try evaluate(evaluator, question, from: 0, leavingAt: confidence) {
        answers.append($0)
      }
      return (answers, energy)
    }
    let first = log.predictions.count
    if first > 0 { printMessage("going on after \(first) of \(question.source.count) examples") }
    let energy = try evaluate(
      evaluator, question, from: first, leavingAt: confidence, visit: log.append)
    try log.finish()
    return (log.predictions, energy)
  }

  /// The file that keeps the answers; nil, with a warning, where the folder cannot be written.
  private func openLog(
    _ saved: SavedModel, _ question: Question, leavingAt confidence: Double?
  ) throws -> PredictionLog? {
    let header = try PredictionLog.Header(
      weightsFile: saved.file, data: question.hash, count: question.source.count)
    let path = question.answersPath(in: folder, checkpoint)
    do {
      return try PredictionLog(
        path: confidence.map { PredictionFile.path(path, leavingAt: $0) } ?? path, header)
    } catch let error as UserError where error.kind == .cannotWrite {
      printMessage(
        "warning: \(error.problem); the answers are not kept, and an interruption loses them")
      return nil
    }
  }

  private func evaluate(
    _ evaluator: Evaluator, _ question: Question, from first: Int, leavingAt confidence: Double?,
    visit: (Prediction) throws -> Void
  ) throws -> EnergyEstimate {
    let start = monotonicSeconds()
    let (result, joules) = try EnergyCounter().measured {
      try evaluator.run(
        question.source, from: first, leavingAt: confidence,
        shouldStop: { Interrupts.stopRequested }, visit: visit)
    }
    guard result != nil else {
      throw UserError(
        .stoppedEarly, Interrupts.stopText ?? "stopped on request",
        remedy: "continue by typing the same command again")
    }
    if first == question.source.count { return .none }
    return try EnergyTerms.fromEnvironment().energy(
      seconds: monotonicSeconds() - start, counted: joules, threads: Workers.shared.count)
  }

  private func report(
    _ answers: [Prediction], _ saved: SavedModel, _ question: Question,
    _ before: EvaluationSummary
  ) throws {
    var summary = before
    var tables = summary.exit?.tables ?? []
    let task = saved.configuration.task
    if perClass {
      let scores = ClassScores.all(answers, names: task.classNames)
      let confusion = Confusion(answers, classes: task.classes)
      (summary.perClass, summary.mean) = (scores, .mean(scores))
      summary.confusion = confusion.counts
      tables += [
        EvaluationTables.classes(scores),
        EvaluationTables.confusion(confusion, names: task.classNames),
      ]
    }
    if let by {
      let values = try answers.map { try value(of: $0.id, by, question.source, task) }
      let result = AccuracyByMeasure(by.unit, answers, values: values)
      summary.by = result
      tables.append(EvaluationTables.accuracy(result))
    }
    try show(summary, tables)
  }

  /// Prints the result and its tables, and writes those where it was asked for.
  func show(_ summary: EvaluationSummary, _ tables: [ReportTable]) throws {
    try printResult(json ? jsonText(summary) : summary.text(.fromEnvironment()))
    if !json { try tables.forEach { try printResult("\n" + $0.text) } }
    if let csv { try write(tables, to: csv) }
  }

  /// What an example is sorted by.
  func value(
    of example: Int, _ measure: Measure, _ source: any ExampleSource, _ task: any ArenaTask
  ) throws -> Int {
    switch measure {
    case .length:
      return try (0..<task.towers).reduce(0) { $0 + (try source.length(example, tower: $1)) }
    case .depth:
      var tokens: [Int32] = []
      try source.append(example, tower: 0, to: &tokens)
      return task.depth(tokens) ?? 0
    }
  }

  private func write(_ tables: [ReportTable], to folder: String) throws {
    try createFolder(folder)
    for table in tables {
      try writeAtomically(Array(table.csv.utf8), to: "\(folder)/\(table.id).csv")
      printMessage("wrote \(folder)/\(table.id).csv")
    }
  }
}

extension Split: ExpressibleByArgument {}
extension CheckpointChoice: ExpressibleByArgument {}
