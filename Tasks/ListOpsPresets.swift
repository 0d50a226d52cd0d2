import Base

extension TaskEntry {
  /// ListOps with its presets and published results.
  static let listOps = TaskEntry(
    ListOps.self,
    summary: "evaluate nested MIN, MAX, MED and SM expressions over digits, up to 2000 tokens",
    presets: ListOpsPresets.all, published: ListOpsPresets.published)
}

/// Hyper-parameters for ListOps, the default preset first.
package enum ListOpsPresets {
  package static let all = [small, paper, quick]

  private static let nystrom = "mlpen/Nystromformer @5689313, LRA/code/lra_config.py"
  private static let nystromModel = "mlpen/Nystromformer @5689313, LRA/code"
  private static let arena =
    "google-research/long-range-arena @cd31e5c, lra_benchmarks/listops/configs/base_listops_config.py"
  private static let arenaCode =
    "google-research/long-range-arena @cd31e5c, lra_benchmarks/listops/train.py"

  private static let arenaModels =
    "google-research/long-range-arena @cd31e5c, lra_benchmarks/models"

  private static let small = Preset(
    name: "small",
    summary: "two layers of width 64, 5000 steps: the setting of the Nyströmformer paper",
    comparable: true, values: data + smallModel + smallTraining,
    overrides: ["linformer": [.init("model.projected", 256, source: nystrom)]])

  private static let data: [PresetValue] = [
    .init("task.length", 2000, source: "Long Range Arena, arXiv 2011.04006, section 2.2.1")
  ]

  private static let smallModel: [PresetValue] = [
    .init("model.layers", 2, source: nystrom),
    .init("model.width", 64, source: nystrom),
    .init("model.heads", 2, source: nystrom),
    .init("model.head-width", 0, source: "\(nystrom): 32, the width shared among the heads"),
    .init("model.feed-forward", 128, source: nystrom),
    .init("model.positions", "learned", source: "\(nystromModel)/model.py"),
    .init("model.pooling", "mean", source: nystrom),
    .init("model.dropout", 0.1, source: nystrom),
    .init("model.attention-dropout", 0.1, source: nystrom),
    .init(
      "model.head-hidden", 0, source: "\(nystromModel)/model_wrapper.py: the feed-forward width"),
    .init(
      "model.embedding-deviation", 0.02,
      source: "\(nystromModel)/model.py; with the LRA code's 1 a transformer stays at chance"),
  ]

  private static let smallTraining: [PresetValue] = [
    .init("train.steps", 5000, source: nystrom),
    .init("train.batch", 32, source: nystrom),
    .init("train.accumulation", 1, source: "ours: the result does not depend on it"),
    .init("train.learning-rate", 1e-4, source: nystrom),
    .init(
      "train.schedule", "one-cycle",
      source: "\(nystromModel)/run_tasks.py: OneCycleLR with linear annealing"),
    .init("train.warmup", 1000, source: nystrom),
    .init("train.weight-decay", 0, source: nystrom),
    .init("train.beta1", 0.9, source: "\(nystromModel)/run_tasks.py"),
    .init("train.beta2", 0.999, source: "\(nystromModel)/run_tasks.py"),
    .init("train.epsilon", 1e-6, source: "\(nystromModel)/run_tasks.py"),
    .init("train.clip", 0, source: "\(nystromModel)/run_tasks.py: no clipping"),
    .init(
      "train.eval-every", 250,
      source: "ours; \(nystrom) has 50, but evaluating 2000 examples every 50 steps costs more "
        + "than the training"),
    .init("train.checkpoint-every", 250, source: "ours: with each evaluation"),
    .init("train.seed", 0, source: "ours"),
    .init("train.select", "best", source: "\(nystromModel)/run_tasks.py: the best on validation"),
  ]

  private static let paper = Preset(
    name: "paper",
    summary: "four layers of width 512, 5000 steps: the released setting of the Long Range Arena",
    comparable: true, values: data + paperModel + paperTraining,
    overrides: [
      "linformer": [
        .init(
          "model.projected", 32,
          source: "google-research/long-range-arena @cd31e5c, configuration of linformer; the "
            + "value never reaches the model, which always uses 16")
      ]
    ])

  private static let paperModel: [PresetValue] = [
    .init("model.layers", 4, source: "\(arena); the paper's appendix says 6"),
    .init("model.width", 512, source: arena),
    .init("model.heads", 8, source: arena),
    .init("model.head-width", 0, source: "\(arena): 64, the width shared among the heads"),
    .init("model.feed-forward", 1024, source: "\(arena); the paper's appendix says 2048"),
    .init("model.positions", "fixed", source: "\(arenaModels): sinusoids"),
    .init("model.pooling", "cls", source: arena),
    .init("model.dropout", 0.1, source: arena),
    .init("model.attention-dropout", 0.1, source: arena),
    .init("model.head-hidden", 0, source: "\(arenaCode): the feed-forward width"),
    .init(
      "model.embedding-deviation", .number(1),
      source: "\(arenaModels)/layers/common_layers.py"),
  ]

  private static let paperTraining: [PresetValue] = [
    .init("train.steps", 5000, source: arena),
    .init("train.batch", 32, source: arena),
    .init("train.accumulation", 1, source: "ours: the result does not depend on it"),
    .init("train.learning-rate", 0.05, source: arena),
    .init("train.schedule", "rsqrt", source: arena),
    .init("train.warmup", 1000, source: arena),
    .init("train.weight-decay", 0.1, source: arena),
    .init("train.beta1", 0.9, source: arenaCode),
    .init("train.beta2", 0.98, source: arenaCode),
    .init("train.epsilon", 1e-9, source: arenaCode),
    .init("train.decay-vectors", true, source: "flax 0.3.6 optim.Adam decays every parameter"),
    .init("train.clip", 0, source: "\(arenaCode): no clipping"),
    .init("train.eval-every", 250, source: "ours; \(arena) has 50"),
    .init("train.checkpoint-every", 250, source: "ours: with each evaluation"),
    .init("train.seed", 0, source: "ours"),
    .init("train.select", "last", source: "\(arenaCode): the last step is tested"),
  ]

  private static let quick = Preset(
    name: "quick",
    summary: "shorter expressions and 600 steps, meant to end within four minutes on two cores",
    comparable: false,
    values: Preset.replacing(
      smallModel + smallTraining,
      with: [
        ours("task.length", 512), ours("task.train-count", 20_000), ours("task.val-count", 1000),
        ours("task.test-count", 1000),
        ours("train.steps", 600), ours("train.learning-rate", 1e-3), ours("train.warmup", 100),
        ours("train.eval-every", 200), ours("train.checkpoint-every", 200),
      ]),
    overrides: ["linformer": [ours("model.projected", 64)]])

  private static func ours(_ key: String, _ value: Setting) -> PresetValue {
    PresetValue(key, value, source: "ours: reduced so that a run is short")
  }
}
