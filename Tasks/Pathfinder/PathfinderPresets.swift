// SPDX-License-Identifier: Apache-2.0

import Base

extension TaskEntry {
  /// Pathfinder with its presets and published results.
  static let pathfinder = TaskEntry(
    Pathfinder.self,
    summary: "tell whether a dashed line joins two dots, in 32 x 32 pixels read as a row",
    presets: PathfinderPresets.all, published: PathfinderPresets.published,
    settings: PathfinderOptions.self)
}

/// Hyper-parameters for Pathfinder, the default preset first.
package enum PathfinderPresets {
  package static let all = [small, paper, quick]

  /// The level of all published results.
  static let level = PresetValue(
    "task.level", "hard",
    source: "google-research/long-range-arena, issue 11: the hard pictures are the benchmark's")

  private static let configurations = ReleasedPreset.file("image/configs/pathfinder32")
  private static let arena = "\(configurations)/base_pathfinder32_config.py"
  private static let trainer = ReleasedPreset.file("image/train.py")

  private static let data: [PresetValue] = [
    .init("task.length", 1024, source: "Long Range Arena, arXiv 2011.04006, section 2.2.5"),
    level,
  ]

  private static let small = Preset(
    name: "small",
    summary: "two layers of width 64, 62400 steps: the setting of the Nyströmformer paper",
    comparable: true,
    values: Preset.replacing(
      data + NystromPreset.model + smallTraining, with: [.parts(8)]),
    overrides: PicturePreset.overrides)

  private static let smallTraining = NystromPreset.training(
    steps: 62_400, batch: 256, warmup: 312, evalEvery: (312, NystromPreset.configuration))

  private static let paper = Preset(
    name: "paper",
    summary: "layers of a size for each model, 62400 steps: the released setting of the Long "
      + "Range Arena",
    comparable: true, values: data + paperModel + paperTraining, overrides: paperOverrides)

  private static let paperModel: [PresetValue] =
    [
      .init("model.layers", 1, source: "\(arena); the paper's appendix says 4"),
      .init("model.width", 32, source: arena),
      .init("model.heads", 2, source: "\(arena); the paper's appendix says 8"),
      .init("model.head-width", 8, source: "\(arena): 16, shared among the heads"),
      .init("model.feed-forward", 32, source: "\(arena); the paper's appendix says 128"),
      .init("model.positions", "fixed", source: arena),
      .init("model.pooling", "mean", source: arena),
      .init("model.dropout", 0.1, source: arena),
      .init("model.attention-dropout", 0.1, source: arena),
    ] + ReleasedPreset.model(trainer: trainer)

  private static let paperTraining: [PresetValue] =
    [
      .init("train.steps", 62_400, source: arena),
      .init("train.batch", 512, source: arena),
      .parts(16),
      .init("train.learning-rate", 1e-3, source: "\(arena); the paper's appendix says 0.01"),
      .init("train.schedule", "cosine", source: arena),
      .init("train.warmup", 312, source: arena),
      .init("train.weight-decay", 0, source: arena),
      .init("train.eval-every", 312, source: arena),
      .init("train.checkpoint-every", 312, source: "ours: with each evaluation"),
    ] + ReleasedPreset.optimizer(trainer: trainer)

  /// The sizes that the original's configurations give to single models.
  private static let paperOverrides = ReleasedPreset.overrides(length: 1024).merging([
    "transformer": size("transformer", layers: 4, width: 32, heads: 4),
    "linear": size("linear_transformer", layers: 1, width: 128, heads: 2),
    "linformer": size("linformer", layers: 1, width: 32, heads: 2) + [
      .init("model.projected", 16, source: ReleasedPreset.file("models/linformer: the default"))
    ],
    "performer": size("performer", layers: 4, width: 32, heads: 8).map {
      PresetValue(
        $0.key, $0.value, source: "\($0.source); by issue 37 1 layer of width 128 was published")
    },
    "sparse": size("sparse_transformer", layers: 1, width: 32, heads: 8),
    "synthesizer": size("synthesizer", layers: 2, width: 64, heads: 4),
    "bigbird": size("bigbird", layers: 4, width: 64, heads: 2) + [block("bigbird")],
    "local": size("local", layers: 2, width: 64, heads: 4, dropout: 0.1) + [block("local")],
    "longformer": size("longformer", layers: 2, width: 32, heads: 2, dropout: 0.1),
    "reformer": size("reformer", layers: 2, width: 64, heads: 8),
    "sinkhorn": size("sinkhorn", layers: 2, width: 32, heads: 4, inner: 64) + [block("sinkhorn")],
    "lru": RecurrencePreset.lru(
      .init(
        width: 192, states: 256, ring: (0.9, 0.999), steps: 500_000, batch: 64, factor: 0.25,
        dropout: 0, input: RecurrencePreset.pixels, bidirectional: true)),
    "s4d": RecurrencePreset.s4d(
      .init(
        file: "s4-pathfinder", width: 256, states: 64, steps: 500_000, batch: 64, dropout: 0,
        input: RecurrencePreset.pixels, rate: 0.004, shared: false)),
  ]) { Preset.replacing($0, with: $1) }

  private static func block(_ model: String) -> PresetValue {
    .init("model.block", 64, source: "\(configurations)/\(model)_base.py")
  }

  /// Queries, keys and values of all heads together are half as wide as the model.
  ///
  /// - Parameter inner: F; the model's width unless said otherwise.
  private static func size(
    _ model: String, layers: Int, width: Int, heads: Int, inner: Int? = nil, dropout: Double = 0.2
  ) -> [PresetValue] {
    let file = "\(configurations)/\(model)_base.py"
    return [
      .init("model.layers", .integer(layers), source: file),
      .init("model.width", .integer(width), source: file),
      .init("model.heads", .integer(heads), source: file),
      .init(
        "model.head-width", .integer(width / 2 / heads),
        source: "\(file): \(width / 2), shared among the heads"),
      .init("model.feed-forward", .integer(inner ?? width), source: file),
      .init("model.dropout", .number(dropout), source: file),
    ]
  }

  private static let quick = QuickPreset.preset(
    summary: "easy pictures, batches of 32 and 600 steps, meant to end within five minutes",
    from: data + NystromPreset.model + smallTraining,
    with: [
      "task.level": "easy",
      "task.train-count": 19_200,
      "task.val-count": 1000,
      "task.test-count": 1000,
      "train.batch": 32,
    ],
    overrides: PicturePreset.quickOverrides)
}
