// SPDX-License-Identifier: Apache-2.0

import Base

extension TaskEntry {
  /// Grey CIFAR-10 with its presets and published results.
  static let image = TaskEntry(
    Image.self,
    summary: "tell what a grey photograph of 32 x 32 pixels shows, read as a row of pixels",
    presets: ImagePresets.all, published: ImagePresets.published)
}

/// Hyper-parameters for images, the default preset first.
package enum ImagePresets {
  package static let all = [small, paper, quick]

  private static let configurations = ReleasedPreset.file("image/configs/cifar10")
  private static let arena = "\(configurations)/base_cifar10_config.py"
  private static let trainer = ReleasedPreset.file("image/train.py")

  private static let data: [PresetValue] = [
    .init("task.length", 1024, source: "Long Range Arena, arXiv 2011.04006, section 2.2.4")
  ]

  private static let small = Preset(
    name: "small",
    summary: "two layers of width 64, 35000 steps: the setting of the Nyströmformer paper",
    comparable: true,
    values: Preset.replacing(
      data + NystromPreset.model + smallTraining, with: [.parts(8)]),
    overrides: PicturePreset.overrides)

  private static let smallTraining = NystromPreset.training(
    steps: 35_000, batch: 256, warmup: 175, evalEvery: (175, NystromPreset.configuration))

  private static let paper = Preset(
    name: "paper",
    summary: "a layer of a size for each model, 35000 steps: the released setting of the Long "
      + "Range Arena",
    comparable: true, values: data + paperModel + paperTraining, overrides: paperOverrides)

  private static let paperModel: [PresetValue] =
    [
      .init("model.layers", 1, source: "\(arena); the paper's appendix says 3"),
      .init("model.width", 32, source: arena),
      .init("model.heads", 1, source: arena),
      .init("model.head-width", 0, source: "\(arena): 32, the width shared among the heads"),
      .init("model.feed-forward", 64, source: arena),
      .init("model.positions", "learned", source: arena),
      .init("model.pooling", "cls", source: arena),
      .init("model.dropout", 0.3, source: arena),
      .init("model.attention-dropout", 0.2, source: arena),
    ] + ReleasedPreset.model(trainer: trainer)

  private static let paperTraining: [PresetValue] =
    [
      .init("train.steps", 35_000, source: arena),
      .init("train.batch", 256, source: arena),
      .parts(8),
      .init("train.learning-rate", 5e-4, source: "\(arena); the paper's appendix says 0.01"),
      .init("train.schedule", "cosine", source: arena),
      .init("train.warmup", 175, source: arena),
      .init("train.weight-decay", 0, source: arena),
      .init("train.eval-every", 175, source: arena),
      .init("train.checkpoint-every", 175, source: "ours: with each evaluation"),
    ] + ReleasedPreset.optimizer(trainer: trainer)

  /// The sizes that the original's configurations give to single models.
  private static let paperOverrides = ReleasedPreset.overrides(length: 1024).merging([
    "transformer": wide("transformer"),
    "linear": wide("linear_transformer"),
    "linformer": wide("linformer") + [
      .init("model.projected", 16, source: ReleasedPreset.file("models/linformer: the default"))
    ],
    "performer": wide("performer"),
    "sparse": wide("sparse_transformer"),
    "synthesizer": wide("synthesizer"),
    "bigbird": wide("bigbird", heads: 1) + [block("bigbird")],
    "local": wide("local", heads: 2) + [
      block("local"), .init("model.pooling", "mean", source: file("local")),
    ],
    "longformer": wide("longformer", layers: 4, heads: 4) + [
      .init("model.pooling", "mean", source: file("longformer"))
    ],
    "reformer": size("reformer", layers: 4, width: 64, heads: 8, projection: 32, inner: 64),
    "sinkhorn": [
      block("sinkhorn"),
      .init("model.pooling", "mean", source: ReleasedPreset.file("models/sinkhorn: no other one")),
      .init("model.dropout", 0.1, source: file("sinkhorn")),
      .init("train.weight-decay", 0.7, source: file("sinkhorn")),
    ],
    // Published for colour: the paper's images are not grey.
    "lru": RecurrencePreset.lru(
      .init(
        width: 512, states: 384, ring: (0.9, 0.999), steps: 180_000, batch: 50, factor: 0.25,
        dropout: 0.1, input: RecurrencePreset.pixels)),
    "s4d": RecurrencePreset.s4d(
      .init(
        file: "s4-cifar", width: 512, states: 64, steps: 180_000, batch: 50, dropout: 0.1,
        input: RecurrencePreset.pixels, norm: "batch-after")),
  ]) { Preset.replacing($0, with: $1) }

  private static func block(_ model: String) -> PresetValue {
    .init("model.block", 64, source: file(model))
  }

  private static func file(_ model: String) -> String { "\(configurations)/\(model)_base.py" }

  private static func wide(_ model: String, layers: Int = 1, heads: Int = 8) -> [PresetValue] {
    size(model, layers: layers, width: 128, heads: heads, projection: 64, inner: 128)
  }

  /// - Parameters:
  ///   - projection: the width of queries, keys and values, all heads together.
  ///   - inner: F.
  private static func size(
    _ model: String, layers: Int, width: Int, heads: Int, projection: Int, inner: Int
  ) -> [PresetValue] {
    [
      .init("model.layers", .integer(layers), source: file(model)),
      .init("model.width", .integer(width), source: file(model)),
      .init("model.heads", .integer(heads), source: file(model)),
      .init(
        "model.head-width", .integer(projection / heads),
        source: "\(file(model)): \(projection), shared among the heads"),
      .init("model.feed-forward", .integer(inner), source: file(model)),
    ]
  }

  private static let quick = QuickPreset.preset(
    summary: "batches of 32 and 600 steps, meant to end within five minutes on two cores",
    from: data + NystromPreset.model + smallTraining,
    with: [
      "task.val-count": 1000,
      "task.test-count": 1000,
      "train.batch": 32,
    ],
    overrides: PicturePreset.quickOverrides)
}
