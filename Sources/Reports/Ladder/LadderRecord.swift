// SPDX-License-Identifier: Apache-2.0

import Base
import Machine

/// A ladder as measured: a baseline, methods alone, and a combination; a line of `ladder.jsonl`.
package struct LadderRecord: Codable, Sendable, Equatable {
  /// The file in a ladder's folder, and of published ladders.
  package static let fileName = "ladder.jsonl"

  /// The task.
  package var task: String
  /// The baseline's model.
  package var model: String
  /// The preset.
  package var preset: String
  /// The longest sequence, in tokens.
  package var length: Int
  /// What was changed of the preset.
  package var changed: [String]
  /// What the combination makes small.
  package var goal: LadderGoal
  /// The accuracy that may be lost, in 0…1.
  package var margin: Double
  /// The seeds.
  package var seeds: [Int]
  /// The processor.
  package var processor: String
  /// Threads of each process.
  package var threads: Int
  /// Trainings at once.
  package var jobs: Int
  /// The baseline, the methods alone, and the combination where it is more than one.
  package var rows: [LadderRow]
  /// The methods of the combination.
  package var chosen: [String]
  /// Seconds of all processes of the search.
  package var searchSeconds: Double
  /// What was decided, and why.
  package var notes: [String]

  /// - Parameters:
  ///   - baseline: its cell, of any seed.
  ///   - steps: of the trainings, where they are not the preset's.
  package init(
    baseline: LeaderboardCell, length: Int, steps: Int?, goal: LadderGoal, margin: Double,
    seeds: [Int], processor: String, threads: Int, jobs: Int, rows: [LadderRow],
    chosen: [LadderMethod], searchSeconds: Double, notes: [String]
  ) {
    (task, model, preset) = (baseline.task, baseline.model, baseline.preset)
    changed = baseline.assignments + (steps.map { ["train.steps=\($0)"] } ?? [])
    (self.length, self.goal, self.margin, self.seeds) = (length, goal, margin, seeds)
    (self.processor, self.threads, self.jobs) = (processor, threads, jobs)
    self.rows = rows
    self.chosen = LadderMethod.all.filter(chosen.contains).map(\.name)
    (self.searchSeconds, self.notes) = (searchSeconds, notes)
  }
}

/// A row of a ladder.
package struct LadderRow: Codable, Sendable, Equatable {
  /// What the row is about.
  package enum Role: String, Codable, Sendable {
    case baseline
    case alone
    case combination
  }

  /// Of a process that trains or answers, beside the baseline's.
  package struct Time: Codable, Sendable, Equatable {
    /// Seconds.
    package var seconds: Double
    /// The baseline's seconds over these, measured in turns.
    package var gain: Double

    package init(seconds: Double, gain: Double) {
      self.seconds = seconds
      self.gain = gain
    }
  }

  /// What the model loses beside the baseline.
  package struct Comparison: Codable, Sendable, Equatable {
    /// Accuracy lost, in −1…1.
    package var loss: Double
    /// Its interval of 95 %, by test examples.
    package var low: Double
    package var high: Double
    /// The smallest margin that is shown, one-sided at 5 %.
    package var bound: Double
    /// The smallest margin that could be shown if nothing were lost.
    package var provable: Double
    /// The interval of 95 % by seeds; nil for fewer than three.
    package var seedLow: Double?
    package var seedHigh: Double?
    /// McNemar's p, of the rows of single methods corrected by Holm.
    package var probability: Double
    /// The verdict.
    package var verdict: Verdict

    /// A loss with its standard error; see `SeedPairs`.
    package init(loss: Double, error: Double, probability: Double, verdict: Verdict) {
      self.loss = loss
      (low, high) = (loss - 1.96 * error, loss + 1.96 * error)
      (bound, provable) = (loss + 1.645 * error, 1.645 * error)
      (self.probability, self.verdict) = (probability, verdict)
    }
  }

  /// What is shown of an accuracy beside the baseline's.
  package enum Verdict: String, Codable, Sendable {
    case better
    case notInferior = "not inferior"
    case inferior
    case notShown = "not shown"
  }

  /// The methods; empty for the baseline.
  package var methods: [String]
  /// What the row is about.
  package var role: Role
  /// Models, one a seed.
  package var models: Int
  /// Mean accuracy on the test split, in 0…1, and its standard error.
  package var accuracy: Double?
  package var error: Double?
  /// Mean accuracy on validation, in 0…1.
  package var validation: Double?
  /// Beside the baseline.
  package var comparison: Comparison?
  /// Weights, those that are not zero, and bytes of the file.
  package var weights: Int?
  package var nonzero: Int?
  package var bytes: Int?
  /// Training steps, of all runs that the row needs, and the seconds that they took as they ran.
  package var steps: Int?
  package var trainingSeconds: Double?
  /// The same from steps in turns with the baseline.
  package var training: Time?
  /// The most main memory of its training steps, bytes.
  package var trainingBytes: Int?
  /// The energy of the same.
  package var trainingEnergy: EnergyEstimate?
  /// The answer to one example, and the 95th percentile.
  package var latency: Time?
  package var latency95: Double?
  /// Seconds an example, 32 at once.
  package var throughput: Time?
  /// The most main memory of answering, bytes.
  package var answeringBytes: Int?
  /// The energy of an answer, 32 at once.
  package var answerEnergy: EnergyEstimate?
  /// Floating-point operations an answer.
  package var flops: Int?
  /// Why there is no model.
  package var failure: String?

  /// A row of which nothing is known yet.
  package init(_ methods: [LadderMethod], role: Role) {
    self.methods = LadderMethod.all.filter(methods.contains).map(\.name)
    self.role = role
    models = 0
  }

  /// The row's name.
  package var title: String {
    methods.isEmpty ? "baseline" : methods.joined(separator: " + ")
  }

  /// What a goal makes small; nil where it was not measured.
  package func score(_ goal: LadderGoal) -> Double? {
    switch goal {
    case .file: bytes.map(Double.init)
    case .latency: latency.map { 1 / $0.gain }
    case .trainTime: training.map { 1 / $0.gain }
    case .trainMemory: trainingBytes.map(Double.init)
    case .energy: trainingEnergy?.joules?.value
    }
  }
}

extension LadderRow.Comparison {
  /// - Parameters:
  ///   - probability: McNemar's, corrected.
  ///   - losing: the chance of so small a loss at the margin, corrected.
  package init(_ pairs: SeedPairs, margin: Double, probability: Double, losing: Double) {
    let verdict: LadderRow.Verdict =
      probability < Self.level && pairs.loss < 0
      ? .better
      : losing < Self.level
        ? .notInferior : pairs.loses(moreThan: margin) ? .inferior : .notShown
    self.init(loss: pairs.loss, error: pairs.error, probability: probability, verdict: verdict)
    (bound, provable) = (pairs.bound, pairs.provable)
    (seedLow, seedHigh) = (pairs.seedInterval?.lowerBound, pairs.seedInterval?.upperBound)
  }

  private static let level = 0.05

  /// The comparisons of several rows, corrected together.
  package static func corrected(_ pairs: [SeedPairs], margin: Double) -> [LadderRow.Comparison] {
    let probabilities = holmCorrected(pairs.map(\.probability))
    let losing = holmCorrected(pairs.map { $0.probability(ofLosing: margin) })
    return zip(pairs, zip(probabilities, losing)).map {
      LadderRow.Comparison($0, margin: margin, probability: $1.0, losing: $1.1)
    }
  }
}

extension LadderRecord: CheckedValue {
  /// Checks that every number is one that can be measured.
  package func check() throws(FieldFault) {
    try FieldRange.positiveCount.check(["length": length, "threads": threads, "jobs": jobs])
    try FieldRange.share.check(["margin": margin])
    try FieldRange.amount.check(["search_seconds": searchSeconds])
    guard rows.first?.role == .baseline else { throw FieldFault("rows begin with no baseline") }
    for row in rows { try row.check(in: "rows") }
  }
}

extension LadderRow: CheckedValue {
  package func check() throws(FieldFault) {
    try FieldRange.count.check([
      "models": models, "weights": weights, "nonzero": nonzero, "bytes": bytes, "steps": steps,
      "training_bytes": trainingBytes, "answering_bytes": answeringBytes,
    ])
    try FieldRange(0...1e18).check(["flops": flops])
    try FieldRange.share.check([
      "accuracy": accuracy, "error": error, "validation": validation,
      "probability": comparison?.probability,
    ])
    try FieldRange(-4...4).check([
      "loss": comparison?.loss, "low": comparison?.low, "high": comparison?.high,
      "bound": comparison?.bound, "provable": comparison?.provable,
    ])
    try FieldRange(-100...100).check([
      "seed_low": comparison?.seedLow, "seed_high": comparison?.seedHigh,
    ])
    try FieldRange.amount.check([
      "training_seconds": trainingSeconds, "latency95": latency95,
    ])
    try trainingEnergy?.check(in: "training_energy")
    try answerEnergy?.check(in: "answer_energy")
    for (name, time) in [("training", training), ("latency", latency), ("throughput", throughput)] {
      try FieldRange.amount.check(["seconds": time?.seconds])
      guard let time, !FieldRange.positiveAmount.contains(time.gain) else { continue }
      throw FieldFault("\(name).gain is \(time.gain)")
    }
  }
}
