// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Models
import Reports
import Runs
import Training

/// Works through a leaderboard's grid: measures, plans, trains what is not done yet.
///
/// Everything is done by other processes of this program, so that a cell that fails or crashes takes
/// nothing with it. What was reached lies in the folder; nothing is lost when this process ends.
final class LeaderboardRunner {
  /// What to run, and how.
  struct Options {
    var folder: LeaderboardFolder
    var cells: [LeaderboardCell]
    var budget: Double?
    var jobs: Int
    var threads: Int
    var dataFolder: String
  }

  /// What could not be done, for the list at the end.
  private(set) var failures: [String] = []
  private let options: Options
  private let journal: LeaderboardJournal
  private let start = monotonicSeconds()
  private var costs: [String: RunCost]
  private var planned: [String: Int]
  private var jobs: Int

  init(_ options: Options) throws {
    self.options = options
    journal = try LeaderboardJournal(folder: options.folder.path)
    journal.problems.forEach { printMessage("left out: \($0)") }
    costs = journal.costs(threads: options.threads)
    planned = options.budget.map(journal.plannedSteps) ?? [:]
    jobs = options.jobs
  }

  // MARK: Measuring

  /// Measures the kinds of training that are not done and whose cost is not known, each once.
  func measure() throws {
    var kinds: [String: LeaderboardCell] = [:]
    for cell in options.cells
    where costs[cell.kind] == nil && kinds[cell.kind] == nil && state(cell) != .done {
      kinds[cell.kind] = cell
    }
    guard !kinds.isEmpty else { return }
    printMessage("measuring a few steps of each kind of training: \(kinds.count)")
    var waiting = kinds.keys.sorted()
    try queue().run {
      guard let kind = waiting.popLast(), let cell = kinds[kind] else { return .none }
      return .job(
        JobQueue.Job(
          name: "measure-\(kind)",
          arguments: ["train"] + cell.flags(steps: nil) + ["--cost", "--json"] + common, lock: nil))
    } ended: { outcome in
      try measured(String(outcome.job.name.dropFirst("measure-".count)), outcome)
    }
    try stopIfAsked()
  }

  private func measured(_ kind: String, _ outcome: JobQueue.Outcome) throws {
    var entry = LeaderboardJournal.Entry(.measured, kind)
    if let cost = try? SnakeCaseJSON.checked(RunCost.self, from: outcome.output.utf8) {
      costs[kind] = cost
      entry.cost = cost
      printMessage(
        "  \(kind): \(formatDuration(seconds: cost.seconds)), "
          + "\(formatBytes(cost.peakResidentBytes))")
    } else if Interrupts.stopRequested {
      return
    } else {
      entry = LeaderboardJournal.Entry(.failed, kind)
      entry.error = outcome.reason
      fail(kind, outcome.reason)
    }
    try journal.write(entry)
  }

  // MARK: Planning

  /// Fits the grid to the budget, says what it will cost, and keeps the plan.
  func plan() throws {
    let items = options.cells.compactMap { cell in
      (costs[cell.kind] ?? doneCost(cell)).map {
        LeaderboardPlan.Item(cell: cell, cost: $0, state: state(cell))
      }
    }
    let plan = try LeaderboardPlan(items, budget: timeLeft, jobs: jobs)
    for (item, steps) in zip(plan.items, plan.steps) {
      guard let steps else { continue }
      let name = item.cell.folder(steps: nil)
      var entry = LeaderboardJournal.Entry(.planned, name)
      entry.steps = steps
      entry.budget = options.budget
      try journal.write(entry)
      planned[name] = steps
    }
    limitJobs(plan)
    announce(plan)
  }

  /// A cost for a cell that is done and was never measured.
  private func doneCost(_ cell: LeaderboardCell) -> RunCost? {
    guard state(cell) == .done else { return nil }
    return RunCost(
      stepSeconds: 0, validationSeconds: 0, testSeconds: 0, peakResidentBytes: 0, steps: 0,
      evalEvery: 1, threads: options.threads)
  }

  /// Trains fewer at once where memory would not hold them.
  private func limitJobs(_ plan: LeaderboardPlan) {
    let memory = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    let limit = memory / 10 * 8
    while jobs > 1, plan.peakBytes(jobs: jobs) > limit { jobs -= 1 }
    if jobs < options.jobs { printMessage("training \(jobs) at once, for memory") }
    if plan.peakBytes(jobs: 1) > limit {
      printMessage(
        "warning: a training needs \(formatBytes(plan.peakBytes(jobs: 1))) of "
          + "\(formatBytes(memory)) of memory")
    }
  }

  private func announce(_ plan: LeaderboardPlan) {
    let done = plan.items.count { $0.state == .done }
    let left = plan.items.count - done
    printMessage("trainings: \(options.cells.count), done: \(done)")
    guard left > 0 else { return }
    let share = plan.share < 1 ? String(format: "%.1f %% of", plan.share * 100) : "all"
    printMessage(
      "to do: \(left), with \(share) the preset's steps: about "
        + "\(formatDuration(seconds: plan.seconds(jobs: jobs))), \(jobs) at once on "
        + "\(counted(options.threads, "thread")) each, "
        + "\(formatBytes(plan.peakBytes(jobs: jobs))) of memory")
    printMessage(
      "watch it from another shell: \(programWord) top \(shellQuoted(options.folder.path))")
  }

  // MARK: Training

  /// Trains what is open, goes on with what was begun, and waits for what others train.
  func train() throws {
    var open = options.cells.filter { costs[$0.kind] != nil && state($0) != .done }
    let total = open.count
    var ended = 0
    for cell in open { try journal.write(queued(cell)) }
    try queue().run {
      try nextTraining(&open)
    } ended: { outcome in
      let isBusy = outcome.end == .exited(UserError.Kind.unavailable.rawValue)
      if isBusy, let cell = options.cells.first(where: { name($0) == outcome.job.name }) {
        // A process that an earlier call started is still alive and goes on by itself.
        open.append(cell)
        usleep(2_000_000)
        return
      }
      ended += 1
      try trained(outcome, "\(ended)/\(total)")
    }
    try stopIfAsked()
  }

  private func queued(_ cell: LeaderboardCell) -> LeaderboardJournal.Entry {
    var entry = LeaderboardJournal.Entry(.queued, name(cell))
    entry.steps = stepsOf(cell) ?? costs[cell.kind]?.steps
    return entry
  }

  /// Takes the first training that nobody else works on.
  private func nextTraining(_ open: inout [LeaderboardCell]) throws -> JobQueue.Next {
    if isOver {
      if !open.isEmpty {
        printMessage("the budget is used up; \(counted(open.count, "training")) not begun")
      }
      open = []
    }
    open.removeAll { state($0) == .done }
    for (place, cell) in open.enumerated() {
      guard let lock = try options.folder.claim(name(cell)) else { continue }
      open.remove(at: place)
      if state(cell) == .done { return try nextTraining(&open) }
      return .job(try job(cell, lock))
    }
    return open.isEmpty ? .none : .later
  }

  private func job(_ cell: LeaderboardCell, _ lock: FileLock) throws -> JobQueue.Job {
    let steps = stepsOf(cell)
    let folder = options.folder.run(cell, steps: steps)
    try journal.write(LeaderboardJournal.Entry(.started, name(cell)))
    let limit = timeLeft.map { ["--time-limit", "\(max(1, Int($0.rounded(.up))))"] } ?? []
    let what =
      RunFolder.holdsRun(folder)
      ? ["--resume", folder] : cell.flags(steps: steps) + ["--output", folder]
    return JobQueue.Job(
      name: name(cell), arguments: ["train"] + what + ["--json"] + common + limit, lock: lock)
  }

  private func trained(_ outcome: JobQueue.Outcome, _ place: String) throws {
    let name = outcome.job.name
    switch outcome.end {
    case .exited(0):
      let folder = "\(options.folder.path)/\(name)"
      printMessage(
        "[\(place)] \(name): \(Self.outcome(of: folder)) in "
          + formatDuration(seconds: outcome.seconds))
      try journal.write(LeaderboardJournal.Entry(.done, name))
    case .exited(UserError.Kind.stoppedEarly.rawValue):
      printMessage("[\(place)] \(name): stopped, to be gone on with")
    default:
      var entry = LeaderboardJournal.Entry(.failed, name)
      entry.error = outcome.reason
      try journal.write(entry)
      fail(name, outcome.reason)
    }
  }

  /// What a training came to.
  private static func outcome(of folder: String) -> String {
    guard let run = try? RunFolder.open(folder) else { return "no result" }
    if let result = run.result { return result.test.formattedAccuracy }
    guard let result = run.pretrainingResult, let best = result.validationBest else {
      return "no result"
    }
    return "\(formatPercent(best.accuracy)) of \(result.objective) tokens"
  }

  // MARK: Common

  private func stepsOf(_ cell: LeaderboardCell) -> Int? {
    let whole = options.folder.run(cell, steps: nil)
    return RunFolder.holdsRun(whole) ? nil : planned[cell.folder(steps: nil)]
  }

  private func name(_ cell: LeaderboardCell) -> String { cell.folder(steps: stepsOf(cell)) }

  private func state(_ cell: LeaderboardCell) -> LeaderboardPlan.State {
    options.folder.state(of: cell, planned: planned[cell.folder(steps: nil)])
  }

  private var common: [String] {
    ["--threads", "\(options.threads)", "--data", options.dataFolder]
  }

  private func queue() throws -> JobQueue {
    try JobQueue(folder: "\(options.folder.path)/.work", limit: jobs)
  }

  /// Seconds that are left of the budget.
  private var timeLeft: Double? {
    options.budget.map { max(0, $0 - (monotonicSeconds() - start)) }
  }

  /// Whether the budget is used up.
  var isOver: Bool { timeLeft.map { $0 <= 1 } ?? false }

  private func fail(_ name: String, _ reason: String) {
    failures.append("\(name): \(reason)")
    printMessage("\(name) failed: \(reason)")
  }

  /// Ends the command when a signal asked for it.
  func stopIfAsked() throws {
    guard let text = Interrupts.stopText else { return }
    throw UserError(
      .stoppedEarly, "\(text); what was reached is saved in \(options.folder.path)",
      remedy: "continue by typing the same command again")
  }
}
