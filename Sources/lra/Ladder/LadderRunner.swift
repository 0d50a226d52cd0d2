// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Reports
import Runs
import Training

/// Works through a ladder: the baseline, each method alone, and what the search adds to the best of them.
///
/// Everything is done by other processes of this program, and kept in the folder as it is reached.
final class LadderRunner {
  /// What to do, and how.
  struct Options {
    var methods: [LadderMethod]
    var seeds: [Int]
    var goal: LadderGoal
    /// The accuracy that may be lost, in 0…1.
    var margin: Double
    /// Seconds of all.
    var budget: Double?
    var jobs: Int
    var threads: Int
    var dataFolder: String
    /// Why a combination cannot be made; nil where it can.
    var refusal: ([LadderMethod]) -> String?
    /// The steps of the baseline's preset.
    var wholeSteps: Int
    /// The longest sequence, in tokens.
    var length: Int
    /// What the machine is thought to draw where there are no counters of energy; nil for nothing.
    var power: PowerModel?
  }

  private var plan: LadderPlan
  private let options: Options
  private let folder: LeaderboardFolder
  private let journal: LeaderboardJournal
  private let measured: LadderTurns
  private let start = monotonicSeconds()
  private var rows: LadderRows {
    LadderRows(plan: plan, options: options, queue: queue, measured: measured)
  }
  private lazy var queue = LadderQueue(
    folder, journal, jobs: options.jobs,
    common: ["--threads", "\(options.threads)", "--data", options.dataFolder],
    hasTime: { [unowned self] in timeLeft.map { $0 > 1 } ?? true })

  init(_ plan: LadderPlan, _ options: Options) throws {
    self.plan = plan
    self.options = options
    folder = LeaderboardFolder(plan.folder)
    journal = try LeaderboardJournal(folder: folder.path)
    journal.problems.forEach { printMessage("left out: \($0)") }
    measured = try LadderTurns(folder.path, threads: options.threads)
    try checkQuestion()
  }

  // MARK: The folder

  /// Refuses a folder of another baseline, whose runs have the same names.
  private func checkQuestion() throws {
    let own = [
      "task": plan.cell.task, "model": plan.cell.model, "preset": plan.cell.preset,
      "length": plan.cell.length.map(String.init) ?? "",
      "set": plan.cell.assignments.joined(separator: " "),
    ]
    let file = "\(folder.path)/question.json"
    guard let data = FileManager.default.contents(atPath: file),
      !RunCollection.paths(in: folder.path).isEmpty
    else {
      return try writeAtomically(SnakeCaseJSON.encoded(own), to: file)
    }
    guard (try? SnakeCaseJSON.decoded([String: String].self, from: data)) != own else { return }
    throw UserError(
      .usage, "\(folder.path) is the ladder of another baseline, see \(file)",
      remedy: "choose another folder with --output")
  }

  private var timeLeft: Double? {
    options.budget.map { max(0, $0 - (monotonicSeconds() - start)) }
  }

  // MARK: Planning

  /// Measures what the trainings cost, fits them to the budget, and says so.
  func planTrainings() throws {
    let kinds = [[]] + options.methods.filter { $0.isTraining }.map { [$0] }
    var costs = journal.costs(threads: options.threads)
    let first = options.seeds[0]
    let unknown = kinds.filter { methods in
      costs[title(methods)] == nil
        && !RunRecord.isDone(queue.path(plan.name(methods, seed: first)))
    }
    if !unknown.isEmpty { printMessage("measuring a few steps of each kind of training") }
    for methods in unknown {
      let arguments = ["train"] + plan.cell(methods, seed: first).flags(steps: nil)
      let outcome = try ChildProcess.runSelf(
        arguments + [
          "--cost", "--json", "--threads", "\(options.threads)", "--data", options.dataFolder,
        ])
      try Interrupts.check()
      guard let cost = try? SnakeCaseJSON.checked(RunCost.self, from: outcome.output.utf8) else {
        continue
      }
      costs[title(methods)] = cost
      var entry = LeaderboardJournal.Entry(.measured, title(methods))
      entry.cost = cost
      try journal.write(entry)
    }
    try fit(costs)
  }

  private func fit(_ costs: [String: RunCost]) throws {
    let budget = LadderBudget(
      baseline: costs["baseline"],
      trainings: options.methods.filter(\.isTraining).map {
        costs[$0.name] ?? costs["baseline"]
      }.compactMap(\.self),
      compressions: options.methods.count { !$0.isTraining }, seeds: options.seeds.count,
      jobs: options.jobs, steps: plan.steps ?? options.wholeSteps, tuning: plan.tuning)
    if let limit = options.budget, plan.steps == nil {
      let planned = journal.plannedSteps(budget: limit)["ladder"]
      if let steps = try planned ?? budget.steps(within: timeLeft ?? limit) {
        var entry = LeaderboardJournal.Entry(.planned, "ladder")
        (entry.steps, entry.budget) = (steps, limit)
        if planned == nil { try journal.write(entry) }
        plan.fit(steps: steps)
        printMessage(
          "the budget allows trainings of \(counted(steps, "step")) of "
            + "\(formatCount(options.wholeSteps)), and of \(plan.tuning) after a compression")
      }
    }
    let rows = options.methods.count + 1
    printMessage(
      "rows: \(rows), seeds: \(options.seeds.count); all together about "
        + "\(formatDuration(seconds: budget.seconds(steps: plan.steps ?? options.wholeSteps))) if "
        + "nothing is there yet, \(options.jobs) at once")
    printMessage(
      "watch it from another shell: \(programWord) top \(shellQuoted(folder.path))")
  }

  /// What would be run, for `--dry-run`.
  var foretold: String {
    let rows = ([[]] + options.methods.map { [$0] }).map { methods in
      let chain = plan.chain(methods, seed: options.seeds[0])
      let isDone = chain.last.map { RunRecord.isDone(queue.path($0.name)) } ?? false
      return [
        title(methods), methods.first?.about ?? "\(plan.cell.model) as it is",
        chain.map(\.name).joined(separator: ", "), isDone ? "done" : "",
      ]
    }
    return formatTable([["row", "", "runs of the first seed", ""]] + rows, leading: 4)
  }

  // MARK: The ladder

  /// Makes all rows.
  func run() throws -> LadderRecord {
    let alone = options.methods.map { [$0] }
    try queue.make(chains([[]] + alone))
    try requireBaseline()
    for methods in alone { try measure(methods) }
    let search = try search()
    let seconds = journal.entries().compactMap(\.seconds).reduce(0, +)
    return try rows.record(search, seconds: seconds)
  }

  private func chains(_ combinations: [[LadderMethod]]) -> [[LadderPlan.Step]] {
    options.seeds.flatMap { seed in combinations.map { plan.chain($0, seed: seed) } }
  }

  private func requireBaseline() throws {
    let names = options.seeds.map { plan.name([], seed: $0) }
    guard let missing = names.first(where: { !RunRecord.isDone(queue.path($0)) }) else { return }
    throw UserError(
      .failed, "there is no baseline: \(queue.failures[missing] ?? "its training has not ended")",
      remedy: queue.isCutShort
        ? "give a larger --budget" : "the same command tries again what failed")
  }

  /// Adds the methods that help to each other.
  private func search() throws -> LadderSearch {
    let serving = options.methods.filter { $0.goals.contains(options.goal) }
    return try LadderSearch(
      baseline: rows.score([]) ?? .infinity, alone: serving.map { ($0, try rows.outcome([$0])) },
      refusal: options.refusal
    ) { methods in
      printMessage("trying \(title(methods))")
      try queue.make(chains([methods]))
      try measure(methods)
      return try rows.outcome(methods)
    }
  }

  // MARK: Measuring

  /// Measures a combination of the first seed in turns with the baseline.
  ///
  /// That is its answers, and the training steps of its runs. One that cannot be measured is a row without
  /// times.
  private func measure(_ methods: [LadderMethod]) throws {
    let chain = plan.chain(methods, seed: options.seeds[0])
    let baseline = plan.name([], seed: options.seeds[0])
    guard let last = chain.last?.name, RunRecord.isDone(queue.path(last)) else { return }
    let trained = chain.filter { step in
      step.name != baseline
        && ((try? RunRecord(queue.path(step.name)))?.result?.steps ?? 0) > 0
    }
    for (run, training) in [(last, false)] + trained.map({ ($0.name, true) }) {
      do {
        guard let seconds = try measured.measure(run, beside: baseline, training: training) else {
          continue
        }
        var entry = LeaderboardJournal.Entry(.done, "measure-\(run)")
        entry.seconds = seconds
        try journal.write(entry)
      } catch let error as UserError where error.kind == .failed {
        printMessage("\(run) cannot be measured: \(error.problem)")
      }
    }
  }

  private func title(_ methods: [LadderMethod]) -> String { LadderSearch.title(methods) }
}
