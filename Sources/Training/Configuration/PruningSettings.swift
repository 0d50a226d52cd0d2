// SPDX-License-Identifier: Apache-2.0

import Base

/// Which weights a training removes on its way.
package struct PruningSettings: SettingSection, Equatable {
  /// `train`.
  package static let section = TrainingSettings.section

  /// By what the weights to keep are chosen.
  package enum Kind: String, SettingChoice {
    case none
    /// The largest.
    case magnitude
    /// Those that training moves away from zero.
    case movement
  }

  /// By what the weights to keep are chosen.
  @Knob(
    "which weights of the blocks' matrices are kept: all, the largest, those moving away from zero")
  package var prune = Kind.none
  /// The share that is removed in the end.
  @Knob("share of the weights of each matrix that is removed in the end", above: 0, through: 0.999)
  package var pruneShare = 0.5
  /// When the first weights are removed, as a share of the steps.
  @Knob("share of the steps after which the first weights are removed", 0..<1)
  package var pruneStart = 0.1
  /// When the last weights are removed, as a share of the steps.
  @Knob("share of the steps after which the last weights are removed", above: 0, through: 0.95)
  package var pruneEnd = 0.7
  /// In how many parts weights are removed.
  @Knob("times at which weights are removed, beside the first", 1...10_000)
  package var pruneUpdates = 20
  /// The rate of the scores of movement.
  @Knob("learning rate of the scores of train.prune movement", above: 0)
  package var pruneScoreRate = 0.01

  /// All at their defaults.
  package init() {}

  /// Checks what the ranges of single settings leave open.
  ///
  /// - Throws: `UserError(.configuration)`.
  func validate() throws {
    guard pruneStart < pruneEnd else {
      throw UserError(
        .configuration,
        "train.prune-start is \(pruneStart), but must be below train.prune-end, \(pruneEnd)",
        remedy: "change one of them")
    }
  }

  /// The keys of `train` that have no effect beside the values of the others, each with the reason.
  var idle: [String: String] {
    var keys = prune == .movement ? [] : ["prune-score-rate"]
    if prune == .none { keys += ["prune-share", "prune-start", "prune-end", "prune-updates"] }
    return Dictionary(
      uniqueKeysWithValues: keys.map { ($0, "train.prune is \(prune.rawValue)") })
  }
}
