// SPDX-License-Identifier: Apache-2.0

import Base

/// Where a training starts, and where it may end before its last step.
package struct StartSettings: SettingSection, Equatable {
  /// `train`.
  package static let section = TrainingSettings.section

  /// The run or file with the first weights; empty to draw them from the seed.
  @Knob(
    "a run, a safetensors file, or teacher: tensors of the same name and shape are the first weights"
  )
  package var initial = ""
  /// Evaluations without a better one after which a run ends; 0 for none.
  @Knob("evaluations in a row without a better one that end the run early; 0 for all steps", 0...)
  package var patience = 0

  /// The word for the run that ``DistillationSettings/teacher`` names.
  static let teacher = "teacher"

  /// All at their defaults.
  package init() {}
}
