// SPDX-License-Identifier: Apache-2.0

import Foundation
import Tasks
import Training

/// What a training step of models takes at a length, from `speed.jsonl`.
package struct StepCosts: Sendable, Encodable {
  /// The processor and the size of model and batch that were measured, in words.
  package let size: String
  /// The models that were measured, the fastest first.
  package let rows: [StepCost]

  /// Looks up the measurements of the sizes that the task's first preset has, those of the processor
  /// before those of others; nil where there are none.
  ///
  /// - Parameters:
  ///   - models: the names of the models.
  ///   - entry: the task.
  ///   - length: tokens of a sequence.
  ///   - elsewhere: trainings of the task at any length.
  ///   - speed: what was measured.
  ///   - processor: the processor that is asked for.
  init?(
    of models: [String], on entry: TaskEntry, length: Int, elsewhere: [SeedGroup],
    speed: [BenchmarkResult], processor: String
  ) throws {
    let towers = try entry.make(TaskOptions()).towers
    let fitting = SpeedTable.series(speed).filter { series in
      series.results.first.map { $0.towers == towers && Self.hasSize(of: entry, $0) } ?? false
    }
    guard let series = fitting.first(where: { $0.processor == processor }) ?? fitting.first else {
      return nil
    }
    let found = models.compactMap { model in
      StepCost(
        model, on: entry, length: length, in: series,
        elsewhere: elsewhere.filter { $0.model == model && $0.conditions.length != length })
    }
    guard !found.isEmpty else { return nil }
    size = series.name
    rows = found.sorted { $0.seconds < $1.seconds }
  }

  private static func hasSize(of entry: TaskEntry, _ result: BenchmarkResult) -> Bool {
    let values = entry.presets.first?.values ?? []
    let sizes = [
      ("model.width", result.emb), ("model.heads", result.heads), ("model.layers", result.layers),
      ("model.feed-forward", result.mlp),
    ]
    return result.variation == nil
      && sizes.allSatisfy { key, size in
        values.first { $0.key == key }?.value.description == "\(size)"
      }
  }
}

/// What a training step of a model takes.
package struct StepCost: Sendable, Encodable {
  /// The mean accuracy at another length.
  package struct Accuracy: Sendable, Encodable {
    /// Tokens.
    package let length: Int
    /// In 0…1.
    package let accuracy: Double
  }

  /// The model.
  package let model: String
  /// Seconds of a step.
  package let seconds: Double
  /// The most main memory, bytes.
  package let memory: Int
  /// Seconds of the whole schedule of the task's first preset, computed from those of a step and the
  /// ratio of the batches; nil where the preset does not say.
  package let wholeSeconds: Double?
  /// Whether this is not the length itself but lies between two lengths that were measured.
  package let isInterpolated: Bool
  /// The best accuracy, by validation, at each other length of the task.
  package let elsewhere: [Accuracy]

  /// Nil where neither the length nor one on each side of it was measured.
  init?(
    _ model: String, on entry: TaskEntry, length: Int, in series: SpeedTable.Series,
    elsewhere: [SeedGroup]
  ) {
    let value = { (measure: (BenchmarkResult) -> Double) in
      Self.value(at: length, series.points(model, forward: false, measure))
    }
    guard let seconds = value({ $0.stepS }), let memory = value({ Double($0.peakRssMib) }) else {
      return nil
    }
    self.model = model
    self.seconds = seconds
    self.memory = Int((memory * 1_048_576).rounded())
    wholeSeconds = Self.schedule(of: model, on: entry).flatMap { examples in
      series.results.first.map { seconds * examples / Double(max($0.batch, 1)) }
    }
    isInterpolated = series.result(model, length, forward: false) == nil
    self.elsewhere = Dictionary(grouping: elsewhere, by: \.conditions.length)
      .sorted { $0.key < $1.key }
      .compactMap { length, groups in
        SeedGroup.ranked(groups).first.map {
          Accuracy(length: length, accuracy: $0.accuracy)
        }
      }
  }

  /// The examples that the schedule of the task's first preset takes; nil where it does not say.
  private static func schedule(of model: String, on entry: TaskEntry) -> Double? {
    let values = entry.presets.first?.values(for: model) ?? []
    let numbers = ["train.steps", "train.batch"].compactMap { key -> Double? in
      guard case .integer(let value)? = values.first(where: { $0.key == key })?.value else {
        return nil
      }
      return Double(value)
    }
    return numbers.count == 2 ? numbers[0] * numbers[1] : nil
  }

  /// The value at a length, or that of the power law through its two neighbours; nil beyond them.
  static func value(at length: Int, _ points: [(length: Int, value: Double)]) -> Double? {
    if let exact = points.first(where: { $0.length == length }) { return exact.value }
    let below = points.filter { $0.length < length }.max { $0.length < $1.length }
    let above = points.filter { $0.length > length }.min { $0.length < $1.length }
    guard let below, let above else { return nil }
    return GrowthFit([below, above])?.value(at: Double(length))
  }
}
