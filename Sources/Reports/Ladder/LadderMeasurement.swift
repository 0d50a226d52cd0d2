// SPDX-License-Identifier: Apache-2.0

import Base
import Training

/// A run of a ladder measured in turns with the baseline's, a line of its `turns.jsonl`.
package struct LadderMeasurement: Codable, Sendable {
  /// The name of the run's folder.
  package var run: String
  /// Whether training steps were measured, or answers.
  package var isTraining: Bool
  /// The run's turns.
  package var own: [RunTurn]
  /// The baseline's, one for each.
  package var baseline: [RunTurn]

  package init(run: String, isTraining: Bool, own: [RunTurn], baseline: [RunTurn]) {
    self.run = run
    self.isTraining = isTraining
    self.own = own
    self.baseline = baseline
  }

  /// Median seconds, and the median over turns of how many times as fast as the baseline.
  func time(_ seconds: (RunTurn) -> [Double]) -> LadderRow.Time? {
    let all = own.flatMap(seconds)
    let gains = zip(baseline, own).compactMap { base, own -> Double? in
      let (base, own) = (seconds(base), seconds(own))
      return base.isEmpty || own.isEmpty ? nil : median(base) / median(own)
    }
    guard !all.isEmpty, !gains.isEmpty else { return nil }
    return LadderRow.Time(seconds: median(all), gain: median(gains))
  }

  /// Median joules of an answer or a training step, as counters tell; nil without them.
  var joules: Double? {
    let all = own.compactMap(\.energyJ)
    return all.isEmpty ? nil : median(all)
  }

  /// The baseline as if it had been measured in turns with itself.
  package static func baseline(
    _ measurements: [LadderMeasurement], training: Bool
  ) -> LadderMeasurement? {
    let turns = measurements.filter { $0.isTraining == training }.flatMap(\.baseline)
    return turns.isEmpty
      ? nil : LadderMeasurement(run: "baseline", isTraining: training, own: turns, baseline: turns)
  }
}

extension LadderMeasurement: CheckedValue {
  package func check() throws(FieldFault) {
    guard own.count == baseline.count else {
      throw FieldFault("\(own.count) turns, and \(baseline.count) of the baseline")
    }
    for turn in own + baseline { try turn.check(in: "turn") }
  }
}
