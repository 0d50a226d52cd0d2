// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs

/// The folder of a leaderboard: a run's folder for each training, the journal, the speed
/// measurements and the report.
///
///     journal.jsonl      see `LeaderboardJournal`
///     speed.jsonl        a `BenchmarkResult` a line
///     <cell>/            the trainings' run folders
///     report/            tables and the page
///     .locks/            who works on what
package struct LeaderboardFolder: Sendable {
  /// The folder.
  package let path: String

  /// A folder, which need not exist yet.
  package init(_ path: String) { self.path = path }

  /// The speed measurements.
  package var speedFile: String { "\(path)/speed.jsonl" }

  /// The folder of the report.
  package var report: String { "\(path)/report" }

  /// A training's run folder.
  package func run(_ cell: LeaderboardCell, steps: Int?) -> String {
    "\(path)/\(cell.folder(steps: steps))"
  }

  /// Takes hold of something that only one process is to do at a time.
  ///
  /// - Returns: nil when another process has it.
  package func claim(_ name: String) throws -> FileLock? {
    try createFolder("\(path)/.locks")
    do {
      return try FileLock("\(path)/.locks/\(name)")
    } catch let error as UserError where error.kind == .unavailable {
      return nil
    }
  }

  /// Where a training stands.
  ///
  /// - Parameter planned: the steps that the present budget gave it earlier, nil for none.
  package func state(of cell: LeaderboardCell, planned: Int?) -> LeaderboardPlan.State {
    // A whole run is better than what any budget allows.
    for steps in [nil, planned] {
      let folder = run(cell, steps: steps)
      guard RunFolder.holdsRun(folder) else { continue }
      if RunRecord.isDone(folder) { return .done }
      return .fixed(steps: steps, taken: (try? RunFolder.open(folder).lastStep) ?? 0)
    }
    return planned.map { .fixed(steps: $0, taken: 0) } ?? .open
  }

}
