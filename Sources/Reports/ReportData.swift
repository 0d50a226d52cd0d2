// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Training

/// Everything that a report is made from.
package struct ReportData: Sendable {
  /// The runs.
  package var runs: [RunRecord]
  /// Speed and memory as measured.
  package var speed: [BenchmarkResult]
  /// Speed and memory beside PyTorch's, as measured.
  package var peers: [PeerRound] = []
  /// What energy amounts to.
  package var terms = EnergyTerms()
  /// Whether there is a table of energy even where none is known.
  package var asksEnergy = false
  /// Ladders as measured.
  package var ladders: [LadderRecord] = []
  /// What could not be read, a line each.
  package var problems: [String]
  /// How the runs that keep their answers confuse classes, by the run's path.
  package private(set) var confusions: [String: Confusion] = [:]

  /// Takes what is given.
  package init(runs: [RunRecord], speed: [BenchmarkResult] = [], problems: [String] = []) {
    self.runs = runs
    self.speed = speed
    self.problems = problems
  }

  /// Reads the runs and the measurements of speed in folders; see `SpeedLog` and `PeerLog`.
  ///
  /// - Throws: `UserError(.missingInput)` for a folder that does not exist, or when there is neither a
  ///   run nor a measurement.
  package init(folders: [String]) throws {
    let collection = try RunCollection(folders)
    let log = SpeedLog(folders)
    let peerLog = PeerLog(folders)
    let ladderLog = LadderTables.records(folders)
    runs = collection.runs
    ladders = ladderLog.ladders
    speed = log.results
    peers = peerLog.rounds
    problems =
      collection.problems + log.problems + peerLog.problems + ladderLog.problems
      + runs.flatMap(\.remarks)
    if runs.isEmpty && speed.isEmpty && peers.isEmpty && ladders.isEmpty {
      throw UserError(
        .missingInput, "\(folders.joined(separator: ", ")): holds no run and no speed.jsonl",
        remedy: "train something first: make train TASK=listops MODEL=linformer PRESET=quick")
    }
    for run in runs { read(run) }
  }

  /// Reads the answers that a run keeps.
  private mutating func read(_ run: RunRecord) {
    do {
      confusions[run.path] = try Confusion(run)
    } catch let error as UserError {
      problems.append(error.problem)
    } catch {
      problems.append("\(run.path): \(error.localizedDescription)")
    }
  }

  /// All tables: those of accuracy, length, speed and ladders.
  package var tables: [ReportTable] {
    ReportTables.all(runs, speed: speed, peers: peers, terms: terms, asksEnergy: asksEnergy)
      + ladders.flatMap { LadderTables($0).all }
  }
}
