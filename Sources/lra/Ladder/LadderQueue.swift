// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Reports
import Runs
import Training

/// Makes the runs of a ladder, each behind the one that it begins with, and lets them answer the
/// validation examples.
///
/// What is there already is left as it is; what was begun is gone on with.
final class LadderQueue {
  /// A process to be run.
  private struct Work {
    let name: String
    /// The work that must be done before.
    let source: String?
    /// The run that it makes, or lets answer.
    let run: String
    /// Nil for the answers to validation examples.
    let step: LadderPlan.Step?
  }

  /// Why runs could not be made, by their names.
  private(set) var failures: [String: String] = [:]
  /// Whether the time was used up before all was done.
  private(set) var isCutShort = false

  private let folder: LeaderboardFolder
  private let journal: LeaderboardJournal
  private let jobs: Int
  private let common: [String]
  private let hasTime: () -> Bool

  /// - Parameters:
  ///   - common: flags of every process.
  ///   - hasTime: asked before each process.
  init(
    _ folder: LeaderboardFolder, _ journal: LeaderboardJournal, jobs: Int, common: [String],
    hasTime: @escaping () -> Bool
  ) {
    self.folder = folder
    self.journal = journal
    self.jobs = jobs
    self.common = common
    self.hasTime = hasTime
  }

  /// The folder of a run.
  func path(_ run: String) -> String { "\(folder.path)/\(run)" }

  /// Makes the runs of chains.
  ///
  /// - Throws: `UserError(.stoppedEarly)` where a signal asked for an end.
  func make(_ chains: [[LadderPlan.Step]]) throws {
    var open = works(chains).filter { !isDone($0) }
    let total = open.count
    var ended = 0
    for work in open where work.step != nil {
      var entry = LeaderboardJournal.Entry(.queued, work.run)
      entry.steps = work.step?.steps
      try journal.write(entry)
    }
    let all = open
    try JobQueue(folder: "\(folder.path)/.work", limit: jobs).run {
      try next(&open)
    } ended: { outcome in
      guard let work = all.first(where: { $0.name == outcome.job.name }) else { return }
      if outcome.end == .exited(UserError.Kind.unavailable.rawValue) {
        // A process that an earlier call started is still alive and goes on by itself.
        open.append(work)
        usleep(1_000_000)
        return
      }
      ended += 1
      try take(outcome, work, "\(ended)/\(total)")
    }
    guard let text = Interrupts.stopText else { return }
    throw UserError(
      .stoppedEarly, "\(text); what was reached is saved in \(folder.path)",
      remedy: "continue by typing the same command again")
  }

  private func works(_ chains: [[LadderPlan.Step]]) -> [Work] {
    var works: [Work] = []
    for chain in chains {
      for step in chain where !works.contains(where: { $0.name == step.name }) {
        works.append(Work(name: step.name, source: step.source, run: step.name, step: step))
      }
      guard let last = chain.last?.name else { continue }
      let name = "val-\(last)"
      if !works.contains(where: { $0.name == name }) {
        works.append(Work(name: name, source: last, run: last, step: nil))
      }
    }
    return works
  }

  private func isDone(_ work: Work) -> Bool {
    guard work.step == nil else { return RunRecord.isDone(path(work.run)) }
    return answers(work.run).map(FileSystem.exists) ?? false
  }

  /// The file of the answers to validation examples; nil while there is no result.
  func answers(_ run: String) -> String? {
    guard let record = try? RunRecord(path(run)), let result = record.result else { return nil }
    let file = PredictionFile.path(in: path(run), .val, result.select)
    let leaving = (try? ExitSettings(record.settings))?.leaving
    return leaving.map { PredictionFile.path(file, leavingAt: $0) } ?? file
  }

  private func next(_ open: inout [Work]) throws -> JobQueue.Next {
    open.removeAll(where: isDone)
    if !open.isEmpty, !hasTime() {
      printMessage("the budget is used up; \(counted(open.count, "step")) not begun")
      isCutShort = true
      open = []
    }
    for work in open where work.source.map({ failures[$0] != nil }) ?? false {
      failures[work.name] = "there is no \(work.source ?? "")"
    }
    open.removeAll { failures[$0.name] != nil }
    for (place, work) in open.enumerated() {
      if let source = work.source, !RunRecord.isDone(path(source)) { continue }
      guard let lock = try folder.claim(work.name) else { continue }
      open.remove(at: place)
      return .job(
        JobQueue.Job(name: work.name, arguments: try arguments(work) + common, lock: lock))
    }
    return open.isEmpty ? .none : .later
  }

  private func arguments(_ work: Work) throws -> [String] {
    let place = path(work.run)
    guard let step = work.step else {
      let select = try RunRecord(place).result?.select ?? .best
      return ["evaluate", place, "--split", "val", "--checkpoint", select.rawValue]
    }
    try journal.write(LeaderboardJournal.Entry(.started, work.name))
    if RunFolder.holdsRun(place) {
      let begun = try RunFolder.open(place)
      // A compression that was killed before it had saved anything begins anew.
      guard !step.isTraining, begun.lastStep == nil, !begun.isInUse else {
        return ["train", "--resume", place, "--json"]
      }
      FileSystem.remove(place)
    }
    return step.arguments + ["--output", place, "--json"]
  }

  private func take(_ outcome: JobQueue.Outcome, _ work: Work, _ place: String) throws {
    var entry = LeaderboardJournal.Entry(.done, work.name)
    entry.seconds = outcome.seconds
    switch outcome.end {
    case .exited(0):
      let result = (try? RunRecord(path(work.run)))?.validationAccuracy
      printMessage(
        "[\(place)] \(work.name): val \(result.map(formatPercent) ?? "unknown") in "
          + formatDuration(seconds: outcome.seconds))
    case .exited(UserError.Kind.stoppedEarly.rawValue):
      // Its seconds count; that it goes on is told by its folder.
      entry.event = .started
      printMessage("[\(place)] \(work.name): stopped, to be gone on with")
    default:
      entry.event = .failed
      entry.error = outcome.reason
      failures[work.name] = outcome.reason
      printMessage("\(work.name) failed: \(outcome.reason)")
    }
    try journal.write(entry)
  }
}
