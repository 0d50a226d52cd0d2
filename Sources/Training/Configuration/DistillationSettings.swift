// SPDX-License-Identifier: Apache-2.0

import Base

/// What a training learns of another model beside the labels.
package struct DistillationSettings: SettingSection, Equatable {
  /// `train`.
  package static let section = TrainingSettings.section

  /// What of the teacher a student is to match.
  package enum Match: String, SettingChoice {
    /// Its answers.
    case logits
    /// Its answers, and what its mixers add to the residual stream.
    case outputs
  }

  /// The run of the teacher; empty for none.
  @Knob("a run on the same data whose answers are learned beside the labels; empty for none")
  package var teacher = ""
  /// α.
  @Knob("share of the loss that the teacher's answers have; the labels have the rest", 0...1)
  package var distillWeight = 0.5
  /// T.
  @Knob("what logits of student and teacher are divided by before they are compared", above: 0)
  package var distillTemperature = 2.0
  /// What is matched.
  @Knob("what of the teacher is matched: logits, or also what each mixer adds to the rows")
  package var distillMatch = Match.logits
  /// β.
  @Knob("weight in the loss of the distance from what the teacher's mixers add", above: 0)
  package var distillMatchWeight = 1.0

  /// The steps of the first stage.
  @Knob(
    "first steps in which each mixer learns alone, fed with the teacher's rows; 0 for none",
    0...TrainingSettings.mostSteps)
  package var distillStageSteps = 0

  /// All at their defaults.
  package init() {}

  /// The keys of `train` that have no effect beside the values of the others, each with the reason.
  var idle: [String: String] {
    guard !teacher.isEmpty else {
      let keys = [
        "distill-weight", "distill-temperature", "distill-match", "distill-match-weight",
        "distill-stage-steps",
      ]
      return Dictionary(uniqueKeysWithValues: keys.map { ($0, "there is no train.teacher") })
    }
    var reasons: [String: String] = [:]
    if distillWeight == 0 {
      reasons["distill-temperature"] = "train.distill-weight is 0, so no answers are compared"
    }
    if distillMatch == .logits {
      reasons["distill-match-weight"] = "train.distill-match is logits"
      reasons["distill-stage-steps"] = "train.distill-match is logits"
    }
    return reasons
  }
}
