// SPDX-License-Identifier: Apache-2.0

import Base

/// The presets `quick`: a training that ends within minutes.
enum QuickPreset {
  /// What single models add for every task.
  static let overrides = ["linformer": [value("model.projected", 64)]]
    .merging(RecurrencePreset.small) { $1 }

  /// The preset of a task.
  ///
  /// - Parameters:
  ///   - base: the values of the preset `small`.
  ///   - changes: sizes that differ from these.
  ///   - training: the schedule.
  ///   - overrides: what single models add.
  static func preset(
    summary: String, from base: [PresetValue], with changes: KeyValuePairs<String, Setting>,
    training: [PresetValue] = training(), overrides: [String: [PresetValue]] = overrides
  ) -> Preset {
    Preset(
      name: "quick", summary: summary, comparable: false,
      values: Preset.replacing(base, with: changes.map(value) + training), overrides: overrides)
  }

  static func training(
    steps: Int = 600, warmup: Int = 100, evalEvery: Int = 200
  ) -> [PresetValue] {
    [
      value("train.steps", .integer(steps)), value("train.learning-rate", 1e-3),
      value("train.warmup", .integer(warmup)), value("train.eval-every", .integer(evalEvery)),
      value("train.checkpoint-every", .integer(evalEvery)),
    ]
  }

  private static func value(_ key: String, _ value: Setting) -> PresetValue {
    PresetValue(key, value, source: "ours: reduced so that a run is short")
  }
}
