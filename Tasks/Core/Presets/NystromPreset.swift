// SPDX-License-Identifier: Apache-2.0

import Base

/// What the presets `small` have in common: the models and the training of the Nyströmformer
/// repository, which a small machine can run.
enum NystromPreset {
  static let configuration = "mlpen/Nystromformer @5689313, LRA/code/lra_config.py"
  private static let code = "mlpen/Nystromformer @5689313, LRA/code"

  static let model: [PresetValue] = [
    .init("model.layers", 2, source: configuration),
    .init("model.width", 64, source: configuration),
    .init("model.heads", 2, source: configuration),
    .init("model.head-width", 0, source: "\(configuration): 32, the width shared among the heads"),
    .init("model.feed-forward", 128, source: configuration),
    .init("model.positions", "learned", source: "\(code)/model.py"),
    .init("model.pooling", "mean", source: configuration),
    .init("model.dropout", 0.1, source: configuration),
    .init("model.attention-dropout", 0.1, source: configuration),
    .init("model.head-hidden", 0, source: "\(code)/model_wrapper.py: the feed-forward width"),
    .init(
      "model.embedding-deviation", 0.02,
      source: "\(code)/model.py; with the LRA code's 1 a transformer stays at chance"),
  ]

  /// What single models add for every task.
  static let overrides = [
    "linformer": [PresetValue("model.projected", 256, source: configuration)],
    "nystromformer": [
      PresetValue("model.landmarks", 128, source: "\(configuration): 32, 64 and 256 too"),
      PresetValue("model.conv", 35, source: configuration),
    ],
    "reformer": [PresetValue("model.hashes", 2, source: configuration)],
    "performer": [
      PresetValue("model.features", 256, source: configuration),
      PresetValue(
        "model.kernel", "softmax",
        source: "\(code)/attention_performer.py; the configuration's relu has no effect there"),
      PresetValue(
        "model.redraw", 0,
        source: "\(code)/attention_performer.py: FastAttention by itself never draws again"),
    ],
  ].merging(RecurrencePreset.small) { $1 }

  /// The training; the numbers are those that differ between the tasks.
  ///
  /// - Parameter evalEvery: with its source, as evaluation costs us more than it costs them.
  static func training(
    steps: Int, batch: Int, warmup: Int, evalEvery: (steps: Int, source: String)
  ) -> [PresetValue] {
    [
      .init("train.steps", .integer(steps), source: configuration),
      .init("train.batch", .integer(batch), source: configuration),
      .parts(1),
      .init("train.learning-rate", 1e-4, source: configuration),
      .init(
        "train.schedule", "one-cycle",
        source: "\(code)/run_tasks.py: OneCycleLR with linear annealing"),
      .init("train.warmup", .integer(warmup), source: configuration),
      .init("train.weight-decay", 0, source: configuration),
      .init("train.beta1", 0.9, source: "\(code)/run_tasks.py"),
      .init("train.beta2", 0.999, source: "\(code)/run_tasks.py"),
      .init("train.epsilon", 1e-6, source: "\(code)/run_tasks.py"),
      .init("train.clip", 0, source: "\(code)/run_tasks.py: no clipping"),
      .init("train.eval-every", .integer(evalEvery.steps), source: evalEvery.source),
      .init(
        "train.checkpoint-every", .integer(evalEvery.steps), source: "ours: with each evaluation"),
      .init("train.seed", 0, source: "ours"),
      .init("train.select", "best", source: "\(code)/run_tasks.py: the best on validation"),
    ]
  }
}
