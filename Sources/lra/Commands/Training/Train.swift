// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Collective
import Foundation
import Machine
import Models
import Runs
import Training

/// `lra train`: trains a model on a task, or goes on with a run.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model on a task, evaluate it, and leave everything in a run folder.",
    usage: "lra train --task TASK --model MODEL [OPTION ...]",
    discussion: """
      lra train --task listops --model linformer
      lra train --task listops --model linear --preset quick --set model.layers=4
      lra train --resume runs/listops-linformer-small-s0
      """)

  @Option(help: "The task, such as listops.", completion: .tasks)
  var task: String?
  @Option(help: "The model, such as linformer.", completion: .models)
  var model: String?
  @Option(
    help: "Which published or own protocol; lra list shows them. Default: small.",
    completion: .presets)
  var preset: String?
  @Option(parsing: .unconditional, help: "Seed of weights, data order and dropout.")
  var seed: Int?
  @Option(
    parsing: .unconditional,
    help: "Optimizer steps; the schedule is fitted. 0 writes the fresh checkpoint.")
  var steps: Int?
  @Option(parsing: .unconditional, help: "Examples a step.")
  var batch: Int?
  @Option(parsing: .unconditional, help: "The longest sequence, in tokens.")
  var length: Int?
  @Option(help: "Time for everything, such as 20m or 1h30m; the schedule is fitted to it.")
  var timeLimit: String?
  @Option(
    help: "The run folder. Default: runs/<task>-<model>-<preset>-s<seed>.", completion: .file(),
    transform: pathArgument)
  var output: String?
  @Option(help: "Go on with the run in this folder.", completion: .file(), transform: pathArgument)
  var resume: String?
  @Flag(
    help: "With --resume: go on though the best checkpoint is lost; the best of the rest is chosen."
  )
  var forgetBest = false
  @Option(
    help: """
      A config.json of another run to start from, or a run of a file as runs.jsonl#NAME, with its \
      task and model where none is given.
      """,
    completion: .file(), transform: pathArgument
  )
  var config: String?
  @Option(name: .customLong("set"), help: "key=value, such as model.layers=4. May be repeated.")
  var assignments: [String] = []
  @Option(
    help: "Where data lives. Default: $LRA_DATA or data; with --resume the run's own.",
    completion: .file(), transform: pathArgument)
  var data: String?
  @Flag(help: "With --resume: go on though the data are not those the run was trained on.")
  var otherData = false
  @Option(help: "Threads. Default: all cores, or $LRA_THREADS.")
  var threads: Int?
  @Flag(help: "Print every resolved value and where it came from, and stop.")
  var explain = false
  @Flag(help: "Measure by a few steps what the run would take in time and memory, and stop.")
  var cost = false
  @Flag(
    help:
      "Print each operation's time in a training step, GFLOP/s, GB/s and share of the bound at the end."
  )
  var profile = false
  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    if let threads { try useThreads(threads) }
    guard OpenMPI.isLaunched() else { return try train(SingleProcess()) }
    try Launched(threads: threads, dataFolder: data).run(train)
  }

  /// Trains as the leader of a group.
  private func train(_ ranks: any Collective) throws {
    let limit = try timeLimit.map { try parseDuration($0, option: "--time-limit") }
    if let resume {
      try checkGoesOnAsItBegan(resume)
      if try tellIfFinished(resume) { return }
    }
    let (configuration, data, folder) = try resume.map(openRun) ?? newRun(ranks)
    guard let folder else { return try printResult(foretold(configuration)) }
    Interrupts.install()
    if profile { Profiler.shared.reset(timing: true) }
    let console = try makeConsole(logPath: folder.file("log.txt"))
    let group = TrainingGroup(ranks)
    let run = try TrainingRun(
      configuration, data: data, folder: folder, resuming: resume != nil, timeLimit: limit,
      forgetsBest: forgetBest, console: console, group: group)
    let ending = try run.run()
    if profile { showProfile(run) }
    console.finish()
    try reportEnding(ending, folder, json: json)
  }

  /// What is told instead of training.
  private func foretold(_ configuration: RunConfiguration) throws -> String {
    guard cost else { return configuration.settings.explained() }
    let measured = try RunCost.measure(configuration) { printMessage($0) }
    return try json
      ? jsonText(measured, oneLine: true) : measured.summary(terms: .fromEnvironment())
  }

  /// The training steps of this sitting.
  private func showProfile(_ run: TrainingRun) {
    guard run.stepsTaken > 0 else { return }
    printMessage(
      OperationProfile(
        Profiler.shared.statistics, steps: run.stepsTaken, seconds: run.stepSeconds,
        roofline: .measured(threads: Workers.shared.count)
      ).table)
  }

  /// Tells what came out of a run that has ended, and leaves its folder as it is.
  ///
  /// - Returns: false for a run that can be gone on with.
  private func tellIfFinished(_ path: String) throws -> Bool {
    let folder = try RunFolder.open(path)
    guard !explain, !cost, folder.isFinished else { return false }
    // A process killed behind its last file but one has left nothing to do but this word.
    if let status = folder.status, status != .done, !folder.isInUse {
      try folder.setStatus(.done)
    }
    printMessage("\(path): already done; nothing was changed")
    if let result = folder.result {
      try printResult(
        json
          ? try jsonText(result) : result.summary(folder: path, terms: .fromEnvironment()))
    } else if let result = folder.pretrainingResult {
      try printResult(json ? try jsonText(result) : result.summary(folder: path))
    }
    return true
  }

  private func checkGoesOnAsItBegan(_ path: String) throws {
    let changed: [(String, Bool)] = [
      ("--task", task != nil), ("--model", model != nil), ("--preset", preset != nil),
      ("--seed", seed != nil), ("--steps", steps != nil), ("--batch", batch != nil),
      ("--length", length != nil), ("--output", output != nil), ("--config", config != nil),
      ("--set", !assignments.isEmpty),
    ]
    if let (flag, _) = changed.first(where: \.1) {
      throw UserError(
        .usage, "\(flag) cannot be combined with --resume: a run goes on as it began",
        remedy: "leave it out, or start another run from this one's --config "
          + shellQuoted("\(path)/config.json"))
    }
  }

  /// What to train, its data where they are identified already, and where to; no folder where nothing is
  /// to be trained.
  private typealias Opened = (RunConfiguration, data: DataIdentity?, RunFolder?)

  private func openRun(_ path: String) throws -> Opened {
    let settings = try RunFolder.open(path).settings()
    let configuration = try RunConfiguration(
      settings, dataFolder: dataFolder(data, ofRun: path))
    if explain || cost { return (configuration, nil, nil) }
    try configuration.task.prepare { printMessage($0) }
    let data = try DataIdentity(configuration.task, folder: configuration.dataFolder)
    if !otherData { try RunFolder.open(path).requireSameData(data) }
    return (configuration, data, try RunFolder.resume(path))
  }

  private func newRun(_ ranks: any Collective) throws -> Opened {
    if otherData {
      throw UserError(
        .usage, "--other-data is for --resume alone", remedy: "leave it out")
    }
    if forgetBest {
      throw UserError(
        .usage, "--forget-best says how to go on with a run, but --resume is missing",
        remedy: "add --resume and the folder of the run, or leave it out")
    }
    let given = try config.map { try Settings(file: $0) }
    guard let task = try task ?? given?.text("task.name"),
      let model = try model ?? given?.text("model.name")
    else {
      throw UserError(
        .usage, "\(task == nil ? "--task" : "--model") is missing",
        remedy: "for example: lra train --task listops --model linformer; lra list shows all")
    }
    var request = RunConfiguration.Request(
      task: task, model: model, preset: preset, dataFolder: dataFolder(data))
    request.configFile = config
    request.assignments =
      Launched.assignments(ranks) + flagAssignments + assignments.map { ($0, "--set") }
    let configuration = try RunConfiguration(request)
    if explain || cost { return (configuration, nil, nil) }
    if output == nil { try refuseUnfinished(configuration) }
    let folder =
      try output.map(RunFolder.create)
      ?? RunFolder.createDefault(
        task: task, model: model, preset: configuration.settings.text("run.preset"),
        seed: configuration.settings.integer("train.seed"))
    return (configuration, nil, folder)
  }

  /// Says how to continue a run that was begun with the same command, rather than beginning it again
  /// under another name.
  private func refuseUnfinished(_ configuration: RunConfiguration) throws {
    let settings = configuration.settings
    // A time limit fits the schedule after this.
    let fitted: Set = [
      "train.steps", "train.warmup", "train.learning-rate", "run.changed", "run.comparable",
    ]
    let folder = try RunFolder.unfinished(
      task: settings.text("task.name"), model: settings.text("model.name"),
      preset: settings.text("run.preset"), seed: settings.integer("train.seed"),
      settings: settings, ignoring: timeLimit == nil ? [] : fitted)
    guard let folder else { return }
    let steps = try folder.settings().integer("train.steps")
    throw UserError(
      .cannotWrite,
      "\(folder.path) is a run of the same settings that has not ended: \(formatCount(folder.lastStep ?? 0)) "
        + "of \(counted(steps, "step")) are done",
      remedy: "continue with: \(programWord) train --resume \(shellQuoted(folder.path))\n"
        + "or begin another beside it with --output FOLDER")
  }

  private var flagAssignments: [(text: String, origin: String)] {
    let flags: [(Int?, String, String)] = [
      (seed, "train.seed", "--seed"), (steps, "train.steps", "--steps"),
      (batch, "train.batch", "--batch"), (length, "task.length", "--length"),
    ]
    return flags.compactMap { value, key, flag in value.map { ("\(key)=\($0)", flag) } }
  }
}

/// Prints what came out of a run.
///
/// - Throws: `UserError(.stoppedEarly)` that says how to continue, where it was stopped.
func reportEnding(_ ending: TrainingRun.Ending, _ folder: RunFolder, json: Bool) throws {
  switch ending {
  case .finished(let result):
    try printResult(
      json
        ? try jsonText(result)
        : result.summary(folder: folder.path, terms: .fromEnvironment()))
  case .pretrained(let result):
    try printResult(json ? try jsonText(result) : result.summary(folder: folder.path))
  case .initialized:
    try printResult("fresh checkpoint in \(folder.path)")
  case .stopped(let reason):
    throw UserError(
      .stoppedEarly, "\(reason); everything is saved in \(folder.path)",
      remedy: "continue with: \(programWord) train --resume \(shellQuoted(folder.path))")
  }
}
