// SPDX-License-Identifier: Apache-2.0

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

  private static let arena = ReleasedPreset.file("listops/configs/base_listops_config.py")
  private static let performer = ReleasedPreset.file("listops/configs/performer_base.py")
  private static let trainer = ReleasedPreset.file("listops/train.py")

  private static let data: [PresetValue] = [
    .init("task.length", 2000, source: "Long Range Arena, arXiv 2011.04006, section 2.2.1")
  ]

  private static let small = Preset(
    name: "small",
    summary: "two layers of width 64, 5000 steps: the setting of the Nyströmformer paper",
    comparable: true, values: data + NystromPreset.model + smallTraining,
    overrides: NystromPreset.overrides)

  private static let smallTraining = NystromPreset.training(
    steps: 5000, batch: 32, warmup: 1000,
    evalEvery: (
      250,
      "ours; \(NystromPreset.configuration) has 50, but evaluating 2000 examples every 50 steps "
        + "costs more than the training"
    ))

  private static let paper = Preset(
    name: "paper",
    summary: "four layers of width 512, 5000 steps: the released setting of the Long Range Arena",
    comparable: true, values: data + paperModel + paperTraining,
    overrides: ReleasedPreset.overrides(length: 2000).merging([
      "linformer": [
        .init(
          "model.projected", 32,
          source: "google-research/long-range-arena @cd31e5c, configuration of linformer; the "
            + "value never reaches the model, which always uses 16")
      ],
      "performer": [
        .init("model.features", 2, source: performer),
        .init("model.kernel", "softmax", source: performer),
        .init("model.norms", "chi", source: performer),
        .init("model.redraw", 1, source: "\(performer), where every pass draws anew"),
      ],
      "lru": RecurrencePreset.lru(
        .init(
          width: 128, states: 256, ring: (0, 0.99), steps: 80_000, batch: 32, factor: 0.5,
          dropout: 0, input: RecurrencePreset.oneHot(ListOpsToken.vocabulary))),
      "s4d": RecurrencePreset.s4d(
        .init(
          file: "s4-listops", width: 256, states: 4, steps: 120_000, batch: 32, dropout: 0,
          norm: "batch-after")),
    ]) { $1 })

  private static let paperModel: [PresetValue] =
    [
      .init("model.layers", 4, source: "\(arena); the paper's appendix says 6"),
      .init("model.width", 512, source: arena),
      .init("model.heads", 8, source: arena),
      .init("model.head-width", 0, source: "\(arena): 64, the width shared among the heads"),
      .init("model.feed-forward", 1024, source: "\(arena); the paper's appendix says 2048"),
      ReleasedPreset.fixedPositions,
      .init("model.pooling", "cls", source: arena),
      .init("model.dropout", 0.1, source: arena),
      .init("model.attention-dropout", 0.1, source: arena),
    ] + ReleasedPreset.model(trainer: trainer)

  private static let paperTraining = ReleasedPreset.training(
    arena, trainer: trainer, steps: 5000, warmup: 1000, evalEvery: (250, 50))

  private static let quick = QuickPreset.preset(
    summary: "shorter expressions and 600 steps, meant to end within four minutes on two cores",
    from: NystromPreset.model + smallTraining,
    with: [
      "task.length": 512,
      "task.train-count": 20_000,
      "task.val-count": 1000,
      "task.test-count": 1000,
    ])
}
