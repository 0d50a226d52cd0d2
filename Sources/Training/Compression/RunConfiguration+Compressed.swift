// SPDX-License-Identifier: Apache-2.0

import Base
import Models

extension RunConfiguration {
  /// The configuration of a compressed model of this one, trained further or not.
  ///
  /// - Parameters:
  ///   - model: its settings.
  ///   - notes: how it was made.
  ///   - exitConfidence: with what examples leave by exits; nil for what it was.
  ///   - steps: training steps from here on.
  ///   - assignments: `train.key=value` for these.
  /// - Throws: `UserError(.configuration)` for assignments of other sections or values.
  package func compressed(
    _ model: ModelSettings, _ notes: CompressionNotes, exitConfidence: Double? = nil, steps: Int,
    assignments: [String]
  ) throws -> RunConfiguration {
    var before = try shaped(model, notes)
    if let exitConfidence {
      try before.set(
        "train.exit-confidence", .number(exitConfidence), origin: CompressionNotes.origin)
    }
    var changed = before
    if steps > 0 {
      var planned = training.schedule
      // A compressed run without steps keeps the warm-up of its source: a tenth of the usual length.
      if training.steps == 0 { planned.steps = max(10 * planned.warmup, 1) }
      try changed.set(planned.fitted(toSteps: steps), steps: steps, origin: "--steps")
    } else {
      try changed.set("train.steps", .integer(steps), origin: "--steps")
    }
    for assignment in assignments {
      guard assignment.hasPrefix("train.") else {
        throw UserError(
          .usage, "--set \(assignment): only the training of a compressed model can be set",
          remedy: "use keys of the section train")
      }
      try changed.set(assignment: assignment, origin: "--set")
    }
    try RunConfiguration.noteChanges(&changed, from: before)
    return try RunConfiguration(changed, dataFolder: dataFolder)
  }

  /// The settings with the parts that are left, and nothing of how the source was trained.
  private func shaped(_ model: ModelSettings, _ notes: CompressionNotes) throws -> Settings {
    var changed = settings
    for (declaration, value) in notes.values {
      if !changed.contains(declaration.key) { changed.declare(declaration) }
      try changed.set(declaration.key, value, origin: CompressionNotes.origin)
    }
    let noted = Set(try settings.text("run.changed").split(separator: " ").map(String.init))
    let all = noted.union([CompressionNotes.numbersKey]).sorted().joined(separator: " ")
    let values: [(String, Setting)] = [
      ("model.kept-layers", .text(model.keptLayers)), ("model.kept-heads", .text(model.keptHeads)),
      ("model.inner-widths", .text(model.innerWidths)), ("model.ranks", .text(model.ranks)),
      ("model.quantised", .text(model.quantised.rawValue)),
      // Its first weights are the compressed ones.
      ("train.initial", ""), ("train.teacher", ""), ("train.objective", "classification"),
      ("train.pretrain-epochs", 0), ("train.prune", "none"), ("train.quantise", "none"),
      ("run.changed", .text(all)), ("run.comparable", .boolean(false)),
    ]
    for (key, value) in values {
      try changed.set(key, value, origin: CompressionNotes.origin)
    }
    return changed
  }
}
