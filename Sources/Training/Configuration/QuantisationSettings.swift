// SPDX-License-Identifier: Apache-2.0

import Base

/// Whether a model is trained for what its numbers will be rounded to.
package struct QuantisationSettings: SettingSection, Equatable {
  /// `train`.
  package static let section = TrainingSettings.section

  /// What is rounded on the way, as `lra compress --quantise` does it in the end.
  package enum Kind: String, SettingChoice {
    case none
    /// Matrices, tables, and the rows that linear maps take.
    case int8
  }

  /// What is rounded.
  @Knob("what the model computes with while it is trained: floats, or as if it were int8 already")
  package var quantise = Kind.none

  /// The keys of `train` that have no effect beside the values of the others, each with the reason.
  var idle: [String: String] {
    quantise == .none
      ? [:]
      : ["precision": "train.quantise is int8: maps take bytes, and all other products are fp32"]
  }

  /// All at their defaults.
  package init() {}
}
