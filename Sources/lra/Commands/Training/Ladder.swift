// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Foundation
import Machine
import Models
import Reports
import Tasks
import Training

/// `lra ladder`: which methods make a model smaller, faster or cheaper, and what they cost in accuracy.
struct Ladder: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure what methods make of a model, each alone and the best together.",
    usage: "lra ladder --task TASK --model MODEL [OPTION ...]",
    discussion: """
      lra ladder --task image --model transformer --goal latency --budget 3h --seeds 0,1,2
      lra ladder --task listops --model linear --methods int8,prune-hidden,factorise

      Methods: \(LadderMethod.all.map(\.name).joined(separator: ", ")).

      Trains the baseline, makes each method's model alone, and adds the methods that help to each \
      other while validation examples show that accuracy is lost by less than --margin. Every step is \
      a run folder; typed again it goes on where it was. docs/methods.md describes the table.
      """)

  @Option(help: "The task, such as listops.", completion: .tasks)
  var task: String
  @Option(help: "The model, such as transformer.", completion: .models)
  var model: String
  @Option(help: "The preset. Default: the task's first, small.", completion: .presets)
  var preset: String?
  @Option(
    help: "Methods, separated by commas. Default: all that serve the goal and apply to the model.",
    completion: .list(LadderMethod.all.map(\.name)))
  var methods: String?
  @Option(help: "What the combination makes small.")
  var goal = LadderGoal.file
  @Option(help: "The accuracy that may be lost, in points.")
  var margin = 1.0
  @Option(parsing: .unconditional, help: "Seeds, separated by commas.")
  var seeds = "0"
  @Option(help: "Time for all, such as 3h; the trainings get as many steps as fit.")
  var budget: String?
  @Option(parsing: .unconditional, help: "Steps of the trainings. Default: the preset's.")
  var steps: Int?
  @Option(
    parsing: .unconditional,
    help: "Steps of the training after a compression. Default: a tenth of the others.")
  var tuning: Int?
  @Option(parsing: .unconditional, help: "The longest sequence, in tokens. Default: the preset's.")
  var length: Int?
  @Option(name: .customLong("set"), help: "key=value for every training. May be repeated.")
  var assignments: [String] = []
  @Option(
    help: """
      The processor's thermal power in watts, for machines without counters: 65, or 280/64 where the \
      machine has some of 64 cores. Default: $LRA_TDP.
      """)
  var tdp: String?
  @Option(parsing: .unconditional, help: "Trainings at once. Default: one for each thread.")
  var jobs: Int?
  @Option(help: "Threads of all together. Default: all cores, or $LRA_THREADS.")
  var threads: Int?
  @Option(
    help: "The folder of runs and tables. Default: runs/ladder-<task>-<model>-<preset>.",
    completion: .file(), transform: pathArgument)
  var output: String?
  @Option(
    help: "Where data lives. Default: $LRA_DATA or data.", completion: .file(),
    transform: pathArgument)
  var data: String?
  @Flag(help: "Say what would be run and what it costs, and stop.")
  var dryRun = false
  @Flag(help: "Print the table as JSON.")
  var json = false

  func run() throws {
    if let threads { try useThreads(threads) }
    for (flag, value) in [("--jobs", jobs), ("--steps", steps), ("--tuning", tuning)] {
      if let value { try require(flag, value, atLeast: 1) }
    }
    guard margin > 0, margin < 100 else {
      throw UserError(
        .usage, "--margin is \(margin), but must be more than 0 and less than 100 points",
        remedy: "one point is usual: --margin 1")
    }
    let (plan, baseline) = try plan()
    let runner = try LadderRunner(plan, options(plan, baseline))
    Interrupts.install()
    try runner.planTrainings()
    if dryRun { return try printResult(runner.foretold) }
    let record = try runner.run()
    try write(record, to: plan.folder)
    try finish(record)
  }

  // MARK: What is asked for

  private func plan() throws -> (LadderPlan, RunConfiguration) {
    let entry = try TaskCatalog.named(task)
    let preset = try preset.map(entry.preset)?.name ?? entry.presets[0].name
    let cell = LeaderboardCell(
      task: entry.name, model: try VariantCatalog.named(model).name, preset: preset,
      length: length, seed: try seedList()[0], assignments: assignments)
    let baseline = try cell.resolve(dataFolder: dataFolder(data))
    if baseline.settings["task.validation"] == "test" {
      throw UserError(
        .usage, "with task.validation=test the test examples would choose the methods",
        remedy: "add --set task.validation=holdout")
    }
    let folder = output ?? "runs/ladder-\(task)-\(model)-\(preset)"
    return (
      LadderPlan(cell, baseline: baseline, folder: folder, steps: steps, tuning: tuning), baseline
    )
  }

  private func options(
    _ plan: LadderPlan, _ baseline: RunConfiguration
  ) throws -> LadderRunner.Options {
    let check = { (methods: [LadderMethod]) in
      try plan.check(methods, dataFolder: dataFolder(data)) { flags, configuration in
        try Compress.parse(["run"] + flags).check(on: configuration)
      }
    }
    let refusal = { (methods: [LadderMethod]) -> String? in
      do { try check(methods) } catch { return error.problem }
      return nil
    }
    let cores = Workers.shared.count
    let seeds = try seedList()
    let jobs = min(jobs ?? cores, cores)
    return LadderRunner.Options(
      methods: try chosenMethods(check), seeds: seeds, goal: goal, margin: margin / 100,
      budget: try budget.map { try parseDuration($0, option: "--budget") }, jobs: jobs,
      threads: max(1, cores / jobs), dataFolder: dataFolder(data), refusal: refusal,
      wholeSteps: baseline.training.steps, length: baseline.task.length,
      power: try power(threads: max(1, cores / jobs)))
  }

  /// What the machine is thought to draw; nil where nobody has stated the power of its processor.
  private func power(threads: Int) throws -> PowerModel? {
    let terms = try EnergyTerms(tdp: tdp, grid: nil, pue: nil, price: nil)
    guard goal != .energy || EnergyCounter().measured({}).joules != nil || terms.tdp != nil else {
      throw UserError(
        .usage, "--goal energy: this machine tells no joules",
        remedy: "state the power of its processor with --tdp, or choose --goal train-time")
    }
    return terms.tdp?.model(
      threads: threads, of: usableCores,
      memoryBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory))
  }

  private func seedList() throws -> [Int] {
    let list = try integers("--seeds", seeds, atLeast: 0)
    guard Set(list).count == list.count else {
      throw UserError(.usage, "--seeds \(seeds): one is there twice", remedy: "give each once")
    }
    return list
  }

  /// The methods that are asked for, all of which must apply, or those that do.
  private func chosenMethods(_ check: ([LadderMethod]) throws -> Void) throws -> [LadderMethod] {
    if let methods {
      var all: [LadderMethod] = []
      for method in try commaSeparated(methods).map(LadderMethod.named)
      where !all.contains(method) {
        do { try check([method]) } catch let error as UserError {
          throw UserError(
            error.kind, "\(method.name) does not apply to \(model): \(error.problem)",
            remedy: "leave it out of --methods")
        }
        all.append(method)
      }
      return all
    }
    let all = LadderMethod.all.filter { method in
      method.goals.contains(goal) && (try? check([method])) != nil
    }
    guard !all.isEmpty else {
      throw UserError(
        .usage, "no method that serves \(goal.rawValue) applies to \(model)",
        remedy: "choose another --goal")
    }
    return all
  }

  // MARK: What came out

  private func write(_ record: LadderRecord, to folder: String) throws {
    let tables = LadderTables(record)
    let line = try SnakeCaseJSON.encoded(record, oneLine: true) + [UInt8(ascii: "\n")]
    try writeAtomically(line, to: "\(folder)/\(LadderRecord.fileName)")
    try writeAtomically(Array(tables.markdown.utf8), to: "\(folder)/ladder.md")
    try printResult(json ? try jsonText(record) : tables.text)
    if !json { try printResult("\ntable             \(folder)/ladder.md") }
  }

  private func finish(_ record: LadderRecord) throws {
    let failed = record.rows.filter { $0.failure != nil }
    guard !failed.isEmpty else { return }
    printMessage("\(counted(failed.count, "row")) could not be made; the same command tries again:")
    failed.forEach { printMessage("  \($0.title): \($0.failure ?? "")") }
    throw ExitCode(UserError.Kind.failed.rawValue)
  }
}

extension LadderGoal: ExpressibleByArgument {}
