// SPDX-License-Identifier: Apache-2.0

import Base

/// Whether a model gets classifiers behind its inner blocks.
package struct ExitSettings: SettingSection, Equatable {
  /// `train`.
  package static let section = TrainingSettings.section

  /// How exits are trained.
  package enum Kind: String, SettingChoice {
    case none
    /// Together with a model that has been trained already.
    case mixed
  }

  /// How exits are trained.
  @Knob("classifiers behind the inner blocks too, trained with a model that is trained already")
  package var exits = Kind.none

  /// θ.
  @Knob(
    "with exits: the probability of its class with which an example leaves early; 0 for never",
    0...1)
  package var exitConfidence = 0.0

  /// All at their defaults.
  package init() {}

  /// With what examples leave a model that is used; nil where all go through all of it.
  package var leaving: Double? { exits == .none || exitConfidence == 0 ? nil : exitConfidence }

  /// The keys of `train` that have no effect beside the values of the others, each with the reason.
  var idle: [String: String] {
    exits == .none ? ["exit-confidence": "train.exits is none"] : [:]
  }
}
