// SPDX-License-Identifier: Apache-2.0

import Base
import Machine
import Reports
import Runs

/// The measurements of a ladder's runs in turns with the baseline, kept in its `turns.jsonl`.
///
/// What was measured on this processor with as many threads is not measured again.
final class LadderTurns {
  /// Turns of a measurement, answers a turn, and training steps a turn.
  private static let (turns, answers, trainingSteps) = (5, 20, 2)

  private let folder: String
  private let threads: Int
  private let file: AppendingFile
  private var path: String { "\(folder)/turns.jsonl" }

  init(_ folder: String, threads: Int) throws {
    self.folder = folder
    self.threads = threads
    file = try AppendingFile(linesAt: "\(folder)/turns.jsonl")
  }

  /// All of this processor and these threads.
  var all: [LadderMeasurement] {
    JSONLines<LadderMeasurement>(path, of: "measurement of lra ladder").values.filter {
      ($0.own + $0.baseline).allSatisfy {
        ($0.processor, $0.threads) == (RunEnvironment.cpuModel, threads)
      }
    }
  }

  /// The latest of a run.
  func find(_ run: String, training: Bool) -> LadderMeasurement? {
    all.last { $0.run == run && $0.isTraining == training }
  }

  /// Measures a run's answers or training steps, where that was not done yet.
  ///
  /// - Returns: the seconds that it took.
  /// - Throws: `UserError` where a process ended, or a signal asked for an end.
  func measure(_ run: String, beside baseline: String, training: Bool) throws -> Double? {
    guard find(run, training: training) == nil else { return nil }
    printMessage("measuring \(training ? "training steps" : "answers") of \(run)")
    let start = monotonicSeconds()
    let steps = training ? Self.trainingSteps : Self.answers
    var measurement = LadderMeasurement(run: run, isTraining: training, own: [], baseline: [])
    do {
      let processes = try [baseline, run].map {
        try TurnProcess("\(folder)/\($0)", training: training, steps: steps, threads: threads)
      }
      for _ in 0..<Self.turns {
        measurement.baseline.append(try processes[0].turn())
        measurement.own.append(try processes[1].turn())
      }
    } catch {
      // Ctrl-C reaches these processes too, which then have no answer.
      try Interrupts.check()
      throw error
    }
    try file.append(SnakeCaseJSON.encoded(measurement, oneLine: true) + [UInt8(ascii: "\n")])
    try Interrupts.check()
    return monotonicSeconds() - start
  }
}
