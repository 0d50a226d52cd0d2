// SPDX-License-Identifier: Apache-2.0

import Base

extension TaskEntry {
  /// Path-X with its presets and published results.
  static let pathX = TaskEntry(
    PathX.self,
    summary: "tell whether a dashed line joins two dots, in 128 x 128 pixels read as a row",
    presets: PathXPresets.all, published: PathXPresets.published,
    settings: PathfinderOptions.self)
}

/// Hyper-parameters for Path-X, the default preset first.
package enum PathXPresets {
  package static let all = [small, paper, quick]

  private static let arena = ReleasedPreset.file(
    "image/configs/pathfinder128/base_pathfinder128_config.py")
  private static let trainer = ReleasedPreset.file("image/train.py")

  private static let data: [PresetValue] = [
    .init("task.length", 16_384, source: "Long Range Arena, arXiv 2011.04006, section 2.2.6"),
    PathfinderPresets.level,
  ]

  private static let small = Preset(
    name: "small",
    summary:
      "two layers of width 64, 25000 steps: ours, after the Nyströmformer paper's Pathfinder",
    comparable: false, values: Preset.replacing(data + NystromPreset.model, with: smallTraining),
    overrides: PicturePreset.overrides)

  /// The Nyströmformer repository has no Path-X.
  private static let smallTraining =
    Preset.replacing(
      NystromPreset.training(
        steps: 25_000, batch: 32, warmup: 2500,
        evalEvery: (1000, "ours: the evaluation then takes a twentieth of the time")),
      with: [
        ours("train.steps", 25_000, "five epochs; the repository has no Path-X"),
        ours("train.batch", 32, "as the LRU paper; the repository has no Path-X"),
        .parts(32),
        ours("train.warmup", 2500, "a tenth of the steps; the repository has no Path-X"),
        ours("train.clip", 1, "as \(arena)"),
      ]) + [ours("task.val-count", 2000, "the evaluation then takes a twentieth of the time")]

  private static func ours(_ key: String, _ value: Setting, _ reason: String) -> PresetValue {
    PresetValue(key, value, source: "ours: \(reason)")
  }

  private static let paper = Preset(
    name: "paper",
    summary: "a layer of width 32, 500000 steps: the released setting of the Long Range Arena",
    comparable: true, values: data + paperModel + paperTraining,
    overrides: ReleasedPreset.overrides(length: 16_384).merging([
      "lru": RecurrencePreset.lru(
        .init(
          width: 128, states: 256, ring: (0.999, 0.9999), steps: 250_000, batch: 32, factor: 0.25,
          dropout: 0, input: RecurrencePreset.pixels, bidirectional: true, phase: .pi / 10)),
      "s4d": RecurrencePreset.s4d(
        .init(
          file: "s4-pathx", width: 256, states: 64, steps: 500_000, batch: 16, dropout: 0,
          input: RecurrencePreset.pixels, rate: 0.001, shared: false, smallestStep: 1e-4)),
    ]) { Preset.replacing($0, with: $1) })

  private static let paperModel: [PresetValue] =
    [
      .init("model.layers", 1, source: arena),
      .init("model.width", 32, source: arena),
      .init("model.heads", 2, source: arena),
      .init("model.head-width", 8, source: "\(arena): 16, shared among the heads"),
      .init("model.feed-forward", 32, source: arena),
      .init("model.positions", "learned", source: arena),
      .init("model.pooling", "mean", source: arena),
      .init("model.dropout", 0.1, source: arena),
      .init("model.attention-dropout", 0.1, source: arena),
    ] + ReleasedPreset.model(trainer: trainer)

  private static let paperTraining = Preset.replacing(
    ReleasedPreset.optimizer(trainer: trainer),
    with: [
      .init("train.steps", 500_000, source: arena),
      .init("train.batch", 64, source: arena),
      .parts(64),
      .init("train.learning-rate", 1e-3, source: arena),
      .init("train.schedule", "cosine", source: arena),
      .init("train.warmup", 2500, source: arena),
      .init("train.weight-decay", 0, source: arena),
      .init("train.clip", 1, source: arena),
      .init("train.eval-every", 2500, source: arena),
      .init("train.checkpoint-every", 2500, source: "ours: with each evaluation"),
    ])

  private static let quick = QuickPreset.preset(
    summary: "easy pictures, batches of 4 and 100 steps, meant to end within five minutes",
    from: data + NystromPreset.model + smallTraining,
    with: [
      "task.level": "easy",
      "task.train-count": 2000,
      "task.val-count": 100,
      "task.test-count": 100,
      "train.batch": 4,
      "train.accumulation": 4,
    ],
    training: QuickPreset.training(steps: 100, warmup: 20, evalEvery: 50),
    overrides: PicturePreset.quickOverrides)
}
