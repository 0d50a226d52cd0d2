// SPDX-License-Identifier: Apache-2.0

import Base

/// What the presets `paper` have in common: the models and the training of the released code of the
/// Long Range Arena.
enum ReleasedPreset {
  private static let repository = "google-research/long-range-arena @cd31e5c"
  private static let models = "\(repository), lra_benchmarks/models"

  /// A file below `lra_benchmarks`, as a source.
  static func file(_ path: String) -> String { "\(repository), lra_benchmarks/\(path)" }

  /// What every model has.
  ///
  /// - Parameter trainer: the task's training program.
  static func model(trainer: String) -> [PresetValue] {
    [
      .init("model.head-hidden", 0, source: "\(trainer): the feed-forward width"),
      .init(
        "model.embedding-deviation", .number(1), source: "\(models)/layers/common_layers.py"),
    ]
  }

  /// What single models have where a configuration does not change it: the defaults of their code.
  ///
  /// - Parameter length: of the padded sequence.
  static func overrides(length: Int) -> [String: [PresetValue]] {
    [
      "local": [.init("model.block", 50, source: "\(models)/local: the default")],
      "sparse": [
        .init("model.pattern", "fixed", source: "\(models)/sparse_transformer: the default"),
        .init("model.stride", 50, source: "\(models)/sparse_transformer: the default"),
        .init("model.summary", 10, source: "\(models)/sparse_transformer: the default"),
      ],
      "longformer": [.init("model.window", 512, source: "\(models)/longformer: the default")],
      "bigbird": [
        .init("model.block", 64, source: "\(models)/bigbird: the default"),
        .init("model.random", 3, source: "\(models)/bigbird: the default"),
      ],
      "reformer": [
        .init("model.hashes", 1, source: "\(models)/reformer: the default"),
        .init("model.buckets", 10, source: "\(models)/reformer: the default"),
        .init(
          "model.chunk", .integer((length + 9) / 10),
          source: "\(models)/reformer: as many chunks as buckets"),
      ],
      "sinkhorn": [.init("model.block", 50, source: "\(models)/sinkhorn: the default")],
      "synthesizer": [
        .init("model.kind", "random", source: "\(models)/synthesizer: what the defaults come to"),
        .init("model.mixture", true, source: "\(models)/synthesizer: what the defaults come to"),
      ],
    ]
  }

  /// The positions of the model where the configuration does not ask for learned ones.
  static let fixedPositions = PresetValue(
    "model.positions", "fixed", source: "\(models): sinusoids")

  /// The training of expressions and texts; the numbers are those that differ between them.
  ///
  /// - Parameters:
  ///   - arena: the task's configuration.
  ///   - evalEvery: ours, and theirs.
  static func training(
    _ arena: String, trainer: String, steps: Int, warmup: Int, evalEvery: (own: Int, released: Int)
  ) -> [PresetValue] {
    [
      .init("train.steps", .integer(steps), source: arena),
      .init("train.batch", 32, source: arena),
      .parts(1),
      .init("train.learning-rate", 0.05, source: arena),
      .init("train.schedule", "rsqrt", source: arena),
      .init("train.warmup", .integer(warmup), source: arena),
      .init("train.weight-decay", 0.1, source: arena),
      .init(
        "train.eval-every", .integer(evalEvery.own),
        source: "ours; \(arena) has \(evalEvery.released)"),
      .init(
        "train.checkpoint-every", .integer(evalEvery.own), source: "ours: with each evaluation"),
    ] + optimizer(trainer: trainer)
  }

  /// What the optimizer has in every task.
  ///
  /// - Parameter trainer: the task's training program.
  static func optimizer(trainer: String) -> [PresetValue] {
    [
      .init("train.beta1", 0.9, source: trainer),
      .init("train.beta2", 0.98, source: trainer),
      .init("train.epsilon", 1e-9, source: trainer),
      .init("train.decay-vectors", true, source: "flax 0.3.6 optim.Adam decays every parameter"),
      .init("train.clip", 0, source: "\(trainer): no clipping"),
      .init("train.seed", 0, source: "ours"),
      .init("train.select", "last", source: "\(trainer): the last step is tested"),
    ]
  }
}
