// SPDX-License-Identifier: Apache-2.0

import Base

extension TaskEntry {
  /// Pairs of papers with their presets and published results.
  static let retrieval = TaskEntry(
    Retrieval.self,
    summary: "tell whether one of two papers cites the other, both read byte by byte",
    presets: RetrievalPresets.all, published: RetrievalPresets.published,
    settings: Retrieval.Own.self)
}

/// Hyper-parameters for pairs of papers, the default preset first.
package enum RetrievalPresets {
  package static let all = [small, paper, quick]

  private static let arena = ReleasedPreset.file("matching/configs/base_match_config.py")
  private static let trainer = ReleasedPreset.file("matching/train.py")

  private static let literals = PresetValue(
    "task.literals", "kept", source: ReleasedPreset.file("matching/input_pipeline.py"))

  private static let small = Preset(
    name: "small",
    summary: "two layers of width 64, 30000 steps: the setting of the Nyströmformer paper",
    comparable: true,
    values: [smallLength, literals] + NystromPreset.model + smallTraining,
    overrides: NystromPreset.overrides.merging(recurrences) { $1 })

  private static let smallLength = PresetValue(
    "task.length", 4000,
    source: "mlpen/Nystromformer @5689313, LRA/datasets/retrieval.py, which adds 96 of padding")

  private static let smallTraining = NystromPreset.training(
    steps: 30_000, batch: 32, warmup: 800,
    evalEvery: (
      1000,
      "ours; \(NystromPreset.configuration) has 300, but evaluating 18,090 pairs costs as much as "
        + "190 steps"
    ))

  /// Recurrences have no feed-forward width that the classifier could take; without a layer between,
  /// it could only weigh the products of the two rows.
  private static let recurrences = RecurrencePreset.small.mapValues {
    $0 + [PresetValue(headKey, 128, source: "ours: as the other models")]
  }

  private static let headKey = "model.head-hidden"

  private static let paper = Preset(
    name: "paper",
    summary: "four layers of width 128, 5000 steps: the released setting of the Long Range Arena",
    comparable: true, values: [paperLength, literals] + paperModel + paperTraining,
    overrides: ReleasedPreset.overrides(length: 4000).merging([
      "linformer": [
        .init("model.projected", 16, source: ReleasedPreset.file("models/linformer: the default"))
      ],
      "lru": Preset.replacing(
        RecurrencePreset.lru(
          .init(
            width: 128, states: 256, ring: (0.5, 0.9), steps: 100_000, batch: 64, factor: 0.5,
            dropout: 0.1, input: RecurrencePreset.oneHot(257))),
        with: [head(128, "lindermanlab/S5 @3c18fdb, s5/seq_model.py, as minimal-LRU has no pairs")]),
      "s4d": Preset.replacing(
        RecurrencePreset.s4d(
          .init(file: "s4-aan", width: 256, states: 4, steps: 50_000, batch: 64, dropout: 0)),
        with: [head(256, "state-spaces/s4 @62a14bb, src/tasks/decoders.py: RetrievalHead")]),
    ]) { $1 })

  /// The layer of the models' width that their codes have in the classifier of pairs.
  private static func head(_ width: Int, _ code: String) -> PresetValue {
    PresetValue(headKey, .integer(width), source: "\(code); GELU there, ReLU here")
  }

  private static let paperLength = PresetValue(
    "task.length", 4000, source: "\(arena); Long Range Arena, arXiv 2011.04006, section 2.2.3")

  private static let paperModel: [PresetValue] =
    [
      .init("model.layers", 4, source: arena),
      .init("model.width", 128, source: arena),
      .init("model.heads", 4, source: arena),
      .init("model.head-width", 0, source: "\(arena): 32, the width shared among the heads"),
      .init("model.feed-forward", 512, source: arena),
      ReleasedPreset.fixedPositions,
      .init(
        "model.pooling", "cls",
        source: "\(arena); its code forgets the class token here and takes the first byte's row"),
      .init("model.dropout", 0.1, source: ReleasedPreset.file("models: the default")),
      .init("model.attention-dropout", 0.1, source: ReleasedPreset.file("models: the default")),
    ] + ReleasedPreset.model(trainer: trainer)

  private static let paperTraining = Preset.replacing(
    ReleasedPreset.training(
      arena, trainer: trainer, steps: 5000, warmup: 8000, evalEvery: (500, 100)),
    with: [
      .init("train.learning-rate", 0.05, source: "\(arena); the paper's appendix says 0.5"),
      .init("train.warmup", 8000, source: "\(arena): the training ends before the warm-up does"),
    ])

  private static let quick = QuickPreset.preset(
    summary: "the first 1024 bytes and 600 steps, meant to end within five minutes on two cores",
    from: [literals] + NystromPreset.model + smallTraining,
    with: [
      "task.length": 1024,
      "task.val-count": 500,
      "task.test-count": 500,
      "train.batch": 16,
    ],
    overrides: QuickPreset.overrides.merging(recurrences) { $1 })
}
