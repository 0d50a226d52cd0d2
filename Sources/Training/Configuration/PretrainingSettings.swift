// SPDX-License-Identifier: Apache-2.0

import Base

/// Whether a model learns from the inputs alone, as its training or before it.
package struct PretrainingSettings: SettingSection, Equatable {
  /// `train`.
  package static let section = TrainingSettings.section

  /// What a training is about.
  package enum Goal: String, SettingChoice {
    /// The labels.
    case classification
    /// Tokens that are hidden.
    case masked
    /// The token behind each, in models that do not see it.
    case causal
  }

  /// What is learned; with ``pretrainEpochs`` what is learned first.
  @Knob("what is learned: the labels, tokens that are hidden, or each next token")
  package var objective = Goal.classification
  /// ρ.
  @Knob(
    "probability that a token is hidden, where train.objective is masked", above: 0, through: 0.95)
  package var maskShare = 0.15
  /// Passes over the training inputs before the labels are learned.
  @Knob("passes over the training inputs, without labels, before the training of the labels", 0...)
  package var pretrainEpochs = 0

  /// All at their defaults.
  package init() {}

  /// What is learned of the inputs alone, nil where nothing is.
  package var ofInputs: Goal? {
    if objective != .classification { return objective }
    return pretrainEpochs > 0 ? .masked : nil
  }

  /// The key by which it was asked for.
  var key: String { pretrainEpochs > 0 ? "train.pretrain-epochs" : "train.objective" }

  /// Whether a run learns of the inputs alone, and no labels after that.
  package var isPretraining: Bool { objective != .classification && pretrainEpochs == 0 }

  /// The keys of `train` that have no effect beside the values of the others, each with the reason.
  var idle: [String: String] {
    var reasons: [String: String] = [:]
    if ofInputs != .masked { reasons["mask-share"] = "no tokens are hidden" }
    if isPretraining { reasons["label-smoothing"] = "no labels are learned" }
    return reasons
  }

  /// ρ as the authors of self-pretraining chose it for a task.
  ///
  /// Source: Amos, Berant and Gupta (2024), arXiv 2310.02980, appendix.
  static func maskShare(of task: String) -> Double {
    if task == "image" || task.hasPrefix("path") { return 0.5 }
    return task == "listops" ? 0.1 : 0.15
  }
}
