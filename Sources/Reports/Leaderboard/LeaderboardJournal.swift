// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Training

/// What happened in a leaderboard's folder, `journal.jsonl`: one JSON object a line, only ever added
/// to, by several processes if need be.
///
/// The truth about a training is its own run folder. The journal keeps what a folder cannot: measured
/// costs, the steps that a budget allowed, and failures.
package final class LeaderboardJournal {
  /// One line.
  package struct Entry: Codable, Sendable, Equatable {
    /// What happened.
    package enum Event: String, Codable, Sendable {
      /// A kind of training was measured: `kind` and `cost`.
      case measured
      /// A budget gave a training its steps: `cell`, `steps` and `budget`.
      case planned
      /// A training waits for its turn: `steps`.
      case queued
      /// A training, a measurement or a benchmark was begun.
      case started
      /// It ended with a result.
      case done
      /// It failed: `error`.
      case failed
    }

    /// What happened.
    package var event: Event
    /// The training's kind, or its folder's name, or a benchmark's cell.
    package var subject: String
    /// Seconds since 1970.
    package var time: Double
    /// What a training of this kind takes.
    package var cost: RunCost?
    /// The steps that the budget allowed.
    package var steps: Int?
    /// The budget, seconds.
    package var budget: Double?
    /// Why it failed.
    package var error: String?
    /// Seconds of the process that ended; nil where it was not kept.
    package var seconds: Double?

    /// An entry of this moment.
    package init(_ event: Event, _ subject: String) {
      self.event = event
      self.subject = subject
      time = (Date().timeIntervalSince1970 * 1000).rounded() / 1000
    }
  }

  private let path: String
  private let file: AppendingFile

  /// Opens the journal of a folder, which is made when absent.
  ///
  /// - Throws: `UserError(.cannotWrite)`.
  package init(folder: String) throws {
    try createFolder(folder)
    path = "\(folder)/journal.jsonl"
    file = try AppendingFile(linesAt: path)
  }

  /// Adds a line.
  package func write(_ entry: Entry) throws {
    try file.append(SnakeCaseJSON.encoded(entry, oneLine: true) + [UInt8(ascii: "\n")])
  }

  /// All lines so far; those that are no entry are left out.
  package func entries() -> [Entry] { lines.values }

  /// Lines that are no entry, each with the file, its number and what is wrong.
  package var problems: [String] { lines.problems }

  /// The trainings of a folder's journal that wait for their turn, in the order in which they were
  /// queued; the journal is only read.
  package static func queued(in folder: String) -> [Entry] {
    var waiting: [Entry] = []
    let path = "\(folder)/journal.jsonl"
    guard FileSystem.exists(path) else { return [] }
    for entry in JSONLines<Entry>(path, of: "entry of a leaderboard").values {
      switch entry.event {
      case .queued:
        waiting.removeAll { $0.subject == entry.subject }
        waiting.append(entry)
      case .started, .done, .failed: waiting.removeAll { $0.subject == entry.subject }
      case .measured, .planned: break
      }
    }
    return waiting
  }

  private var lines: JSONLines<Entry> { JSONLines(path, of: "entry of a leaderboard") }

  /// The latest measured cost of each kind, of those measured with so many threads.
  package func costs(threads: Int) -> [String: RunCost] {
    var costs: [String: RunCost] = [:]
    for entry in entries() where entry.event == .measured {
      if let cost = entry.cost, cost.threads == threads { costs[entry.subject] = cost }
    }
    return costs
  }

  /// The steps that a budget gave to the trainings that were planned by it, by cell.
  package func plannedSteps(budget: Double) -> [String: Int] {
    var steps: [String: Int] = [:]
    for entry in entries() where entry.event == .planned && entry.budget == budget {
      steps[entry.subject] = entry.steps
    }
    return steps
  }
}

extension LeaderboardJournal.Entry: CheckedValue {
  /// Checks that every number is one that can be planned with.
  package func check() throws(FieldFault) {
    try FieldRange.amount.check(["time": time, "budget": budget, "seconds": seconds])
    try FieldRange.count.check(["steps": steps])
    try cost?.check(in: "cost")
  }
}
