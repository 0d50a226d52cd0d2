// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models

/// Settings of several sections that do not go together.
private struct Conflict {
  /// Whether a configuration has it.
  let isPresent: Bool
  /// The settings with their values, and why they do not go together.
  let problem: String
  /// What to do.
  let remedy: String

  init(_ isPresent: Bool, _ problem: String, remedy: String = "use one of them") {
    self.isPresent = isPresent
    self.problem = problem
    self.remedy = remedy
  }
}

extension RunConfiguration {
  /// - Throws: `UserError(.configuration)` for the first conflict.
  func refuseConflicts() throws {
    let all = memory + stages + bytes + objectives + statistics
    guard let conflict = all.first(where: \.isPresent) else { return }
    throw UserError(.configuration, conflict.problem, remedy: conflict.remedy)
  }

  private var isReversible: Bool { settings["model.reversible"] == .boolean(true) }

  /// What is kept for the backward pass.
  private var memory: [Conflict] {
    let checkpoint = "train.checkpoint is \(training.checkpoint), but"
    let recomputes = training.checkpoint > 0
    let rounds = training.saved == .bf16
    return [
      Conflict(
        recomputes && isReversible,
        "\(checkpoint) blocks with model.reversible are computed again already"),
      Conflict(
        recomputes && distillation.distillMatch == .outputs,
        "\(checkpoint) with train.distill-match outputs what the mixers add must be kept"),
      Conflict(
        rounds && recomputes,
        "\(checkpoint) with train.saved bf16 the inputs of blocks, all that is kept then, would be "
          + "rounded before the blocks are computed again"),
      Conflict(
        rounds && isReversible,
        "train.saved is bf16, but blocks with model.reversible keep their last rows alone, from which "
          + "the others are computed again: rounded, they would drift"),
    ]
  }

  /// What comes first, and what last.
  private var stages: [Conflict] {
    let stage = distillation.distillStageSteps
    return [
      Conflict(
        stage > 0 && stage >= training.steps && training.steps > 0,
        "train.distill-stage-steps is \(stage), but train.steps is \(training.steps): nothing would be "
          + "learned of the labels",
        remedy: "use fewer, such as a tenth of all steps"),
      Conflict(
        model.exits && pretraining.ofInputs != nil,
        "train.exits learn labels with a model that knows them already, but \(pretraining.key) learns of "
          + "the inputs alone",
        remedy:
          "train a run of the labels without exits first, then one from it (train.initial) with them"
      ),
    ]
  }

  /// Weights that are bytes, or will be.
  private var bytes: [Conflict] {
    let trains = quantisation.quantise != .none
    return [
      Conflict(
        model.quantised != .none && training.steps > 0,
        "model.quantised is \(model.quantised.rawValue), but train.steps is \(training.steps): bytes "
          + "have no gradients",
        remedy: "train first, and quantise the finished run with lra compress RUN --quantise int8"),
      Conflict(
        trains && isReversible,
        "train.quantise is int8, but model.reversible computes inputs back from outputs, which rounding "
          + "to bytes would not allow"),
      Conflict(
        trains && pretraining.isPretraining,
        "train.quantise is int8, but train.objective is \(pretraining.objective.rawValue): numbers are "
          + "rounded last of all, or labels would be learned by a model that was rounded already",
        remedy: "train the labels from this run first, then train for bytes from that one"),
    ]
  }

  /// What is learned, and from whom.
  private var objectives: [Conflict] {
    [
      Conflict(
        pretraining.isPretraining && !distillation.teacher.isEmpty,
        "train.objective is \(pretraining.objective.rawValue), but train.teacher answers with classes",
        remedy: "leave the teacher out, or learn the labels after it with train.pretrain-epochs"),
      Conflict(
        start.initial == StartSettings.teacher && distillation.teacher.isEmpty,
        "train.initial is teacher, but there is no train.teacher",
        remedy: "name it with --set train.teacher=RUN"),
    ]
  }

  /// Parts of a batch have other statistics than the whole, so `train.accumulation` would change the
  /// result; shards are part of the run, and each may have its own.
  private var statistics: [Conflict] {
    [
      Conflict(
        model.normalization != .layer && training.shards == 1 && training.accumulation > 1,
        "model.norm is \(model.normalization.rawValue), but train.accumulation is "
          + "\(training.accumulation): parts of a batch have other statistics than the whole",
        remedy:
          "use --set train.accumulation=1, --set model.norm=layer, or --set train.shards=... for "
          + "statistics of each shard")
    ]
  }
}
