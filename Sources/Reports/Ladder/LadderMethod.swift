// SPDX-License-Identifier: Apache-2.0

import Base
import Training

/// A way to a smaller, faster or cheaper model, as a row of a ladder has it.
package struct LadderMethod: Sendable, Equatable {
  /// By what means.
  package enum Work: Sendable, Equatable {
    /// Settings of a training from the start, `key=value`.
    case training([String])
    /// Flags of `lra compress`, and settings of a training right before it; none where there is none.
    case compression(CompressionMethod, [String], before: [String])
  }

  /// Its name on the command line and in tables.
  package let name: String
  /// What it does, a few words.
  package let about: String
  /// By what means.
  package let work: Work
  /// What it can make smaller.
  package let goals: Set<LadderGoal>
  /// The only model that it is for; nil for any.
  package let model: String?

  fileprivate static func training(
    _ name: String, _ about: String, _ settings: [String], for goals: Set<LadderGoal>,
    only model: String? = nil
  ) -> LadderMethod {
    LadderMethod(name: name, about: about, work: .training(settings), goals: goals, model: model)
  }

  fileprivate static func compress(
    _ name: String, _ about: String, _ method: CompressionMethod, _ flags: [String],
    before settings: [String] = [], for goals: Set<LadderGoal>
  ) -> LadderMethod {
    LadderMethod(
      name: name, about: about, work: .compression(method, flags, before: settings),
      goals: goals, model: nil)
  }

  /// The method of a name.
  ///
  /// - Throws: `UserError(.usage)` with the nearest names.
  package static func named(_ name: String) throws -> LadderMethod {
    if let method = all.first(where: { $0.name == name }) { return method }
    throw UserError(
      .usage, "--methods: there is no method \"\(name)\"",
      remedy: remedy(unknown: name, among: all.map(\.name)))
  }

  /// Why two methods are not combined; nil where they are.
  package func conflict(with other: LadderMethod) -> String? {
    Self.conflicts.first { conflict in
      [(name, other.name), (other.name, name)].contains {
        conflict.first.contains($0.0) && conflict.second.contains($0.1)
      }
    }?.reason
  }
}

// MARK: The catalog

extension LadderMethod {
  /// All methods, in the order in which a combination applies them.
  ///
  /// In settings and flags `{baseline}` is the baseline's run, `{half}` half of the blocks, and `{last}`
  /// the number of the last block.
  package static let all: [LadderMethod] = [
    .training(
      "bf16", "products of bf16", ["train.precision=bf16"], for: [.trainTime, .energy]),
    .training(
      "saved-bf16", "activations kept as bf16", ["train.saved=bf16"], for: [.trainMemory]),
    .training(
      "checkpoint", "blocks computed again in the backward pass", ["train.checkpoint=1"],
      for: [.trainMemory]),
    .training(
      "accumulation", "a batch in four parts", ["train.accumulation=4"], for: [.trainMemory]),
    .training(
      "fixed-positions", "sines in place of a table", ["model.positions=fixed"],
      for: [.file, .trainMemory]),
    .training(
      "position-rank", "the table of positions of rank 8", ["model.position-rank=8"],
      for: [.file, .trainMemory]),
    .training("tie-layers", "one block's weights for all", ["model.tie-layers=all"], for: [.file]),
    .training(
      "layerwise", "linformer's projections shared by all blocks", ["model.sharing=layerwise"],
      for: [.file, .trainMemory], only: "linformer"),
    .training(
      "lowrank", "narrow maps from the start", ["model.name=lowrank"],
      for: Set(LadderGoal.allCases), only: "transformer"),
    .training(
      "sparse", "80 % of the blocks' weights removed while training",
      ["train.prune=magnitude", "train.prune-share=0.8"], for: [.file]),
    .training(
      "distill", "half the blocks, with the baseline as teacher",
      ["model.layers={half}", "train.teacher={baseline}", "train.initial=teacher"],
      for: [.file, .latency]),
    .compress(
      "drop-layers", "the last block taken away", .prune, ["--drop-layers", "{last}"],
      for: [.file, .latency]),
    .compress(
      "prune-heads", "40 % of the heads taken away", .prune, ["--prune-heads", "40%"],
      for: [.file, .latency]),
    .compress(
      "prune-hidden", "50 % of the inner columns taken away", .prune, ["--prune-hidden", "50%"],
      for: [.file, .latency]),
    .compress(
      "factorise", "narrow maps after training", .factorise,
      ["--factorise", "share=0.4", "--data-aware"], for: [.file, .latency]),
    .compress(
      "int8-weights", "bytes in the file", .quantise, ["--quantise", "int8", "--weights-only"],
      for: [.file]),
    .compress(
      "int8", "bytes in the file and in products", .quantise, ["--quantise", "int8"],
      for: [.file, .latency]),
    .compress(
      "int8-trained", "int8 after a training for it", .quantise, ["--quantise", "int8"],
      before: ["train.quantise=int8"], for: [.file, .latency]),
    .compress(
      "exits", "examples leave behind the block that is sure of them", .exits,
      ["--exits", "loss=1%"], before: ["train.exits=mixed"], for: [.latency]),
  ]

  /// Methods that are not combined: each of `first` with each of `second`.
  fileprivate static let conflicts: [(first: Set<String>, second: Set<String>, reason: String)] = [
    (["sparse"], ["lowrank", "factorise"], "the factors of sparse maps are dense"),
    (
      ["sparse"], ["drop-layers", "prune-heads", "prune-hidden"],
      "whole parts are pruned before single weights"
    ),
    (
      ["tie-layers"], ["drop-layers", "prune-heads", "prune-hidden"],
      "no part of a block that others share can go alone"
    ),
    (["lowrank"], ["factorise"], "either makes the maps narrow"),
    (["saved-bf16"], ["checkpoint"], "of blocks that are computed again only inputs are kept"),
    (["fixed-positions"], ["position-rank"], "either replaces the table of positions"),
    (["distill"], ["drop-layers"], "either leaves blocks out"),
    (["int8", "int8-trained"], ["int8-weights"], "either stores the weights as bytes"),
    (["int8"], ["int8-trained"], "either stores the weights as bytes"),
    (["int8-trained"], ["bf16"], "a training for bytes has products of bytes"),
    (["int8-trained"], ["sparse"], "a training for bytes does not keep the zeros"),
  ]
}
