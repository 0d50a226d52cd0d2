// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Runs

/// Where a run stands at this moment, from the ends of its files alone.
package struct RunStanding: Sendable, Encodable {
  /// How it is with a run.
  package enum State: String, Sendable, Encodable, CaseIterable {
    case running
    /// A training that a leaderboard has planned and not begun.
    case queued
    case done, stopped, failed
    /// Says that it runs, but no process holds its lock.
    case dead

    /// What is to be looked at first has more.
    package var urgency: Int {
      switch self {
      case .running: 2
      case .queued: 1
      case .done, .stopped, .failed, .dead: 0
      }
    }
  }

  /// The folder's last name.
  package let name: String
  /// How it is.
  package let state: State
  /// The last step in the log, and the steps planned.
  package let step: Int
  /// Steps planned; 0 where the folder does not say.
  package let steps: Int
  /// The latest training loss, nats.
  package let loss: Double?
  /// The latest training accuracy, in 0…1.
  package let accuracy: Double?
  /// The best validation accuracy, in 0…1.
  package let validation: Double?
  /// The test accuracy of a finished run, in 0…1.
  package let test: Double?
  /// Steps a second.
  package let stepsPerSecond: Double?
  /// The most memory, bytes.
  package let peakResidentBytes: Int?
  /// When the log was last written, seconds since 1970.
  package let time: Double

  /// Seconds to the end at the present speed; nil for a run that does not go on.
  package var secondsLeft: Double? {
    guard state == .running, let stepsPerSecond, stepsPerSecond > 0 else { return nil }
    return Double(max(0, steps - step)) / stepsPerSecond
  }

  /// The bytes at the end of a log that are read: some hundred records.
  private static let tail = 65536

  /// Looks at a run's folder.
  ///
  /// - Throws: `UserError` when there is no run.
  /// - Complexity: O(size of the log) to find the evaluations; only its end is understood whole.
  package init(_ path: String) throws {
    let folder = try RunFolder.open(path)
    name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
    let records = MetricsLog.lastRecords(at: folder.file("metrics.jsonl"), bytes: Self.tail)
    let values = { (key: String) in records.last { $0.values[key] != nil }?.values[key] }
    let result: RunResult? = try? RunRecord.read(folder.file("result.json"))
    state = Self.state(folder, isFinished: result != nil)
    step = result?.steps ?? records.compactMap(\.step).last ?? 0
    let planned = (try? folder.settings().integer("train.steps")) ?? 0
    steps = result?.plannedSteps ?? max(0, planned)
    loss = values("train/loss")
    accuracy = values("train/accuracy")
    validation =
      MetricsLog.records(at: folder.file("metrics.jsonl"), naming: "eval/accuracy")
      .compactMap { $0.values["eval/accuracy"] }.max()
    test = result?.test.accuracy
    stepsPerSecond = result?.stepsPerSecond ?? values("throughput/steps_per_sec")
    peakResidentBytes =
      result?.peakResidentBytes ?? values("memory/peak_rss_bytes").map { Int($0) }
    time = records.compactMap(\.time).last ?? 0
  }

  /// The trainings that leaderboards have planned and not begun, in their order: of the leaderboard that a
  /// folder is, and of those below it.
  package static func queued(in folder: String) -> [RunStanding] {
    RunCollection.containers(in: folder).flatMap { board in
      LeaderboardJournal.queued(in: board).filter { !RunFolder.holdsRun("\(board)/\($0.subject)") }
        .map { RunStanding(queued: $0.subject, steps: $0.steps ?? 0) }
    }
  }

  private init(queued name: String, steps: Int) {
    self.name = name
    (state, step, self.steps, time) = (.queued, 0, steps, 0)
    (loss, accuracy, validation, test, stepsPerSecond) = (nil, nil, nil, nil, nil)
    peakResidentBytes = nil
  }

  private static func state(_ folder: RunFolder, isFinished: Bool) -> State {
    switch folder.status {
    case .done: return .done
    case .stopped: return .stopped
    case .failed: return .failed
    // A folder that was downloaded says nothing.
    case nil where isFinished: return .done
    case .running, nil: return folder.isInUse ? .running : .dead
    }
  }
}
