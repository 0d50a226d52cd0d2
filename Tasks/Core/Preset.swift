// SPDX-License-Identifier: Apache-2.0

import Base

/// One hyper-parameter of a preset, and where its value comes from.
package struct PresetValue: Sendable, Equatable {
  /// The configuration key, as `train.steps`.
  package let key: String
  /// The value.
  package let value: Setting
  /// The publication, the code with its revision, or "ours" with the reason.
  package let source: String

  /// One value with its source.
  package init(_ key: String, _ value: Setting, source: String) {
    self.key = key
    self.value = value
    self.source = source
  }
}

extension PresetValue {
  /// The parts that a batch is computed in.
  static func parts(_ count: Int) -> PresetValue {
    PresetValue(
      "train.accumulation", .integer(count),
      source: "ours: more parts take less memory, and change the gradient's last bits alone")
  }
}

/// A named set of hyper-parameters for one task.
package struct Preset: Sendable {
  /// The name after `--preset`.
  package let name: String
  /// What it is for, one sentence.
  package let summary: String
  /// Whether results may stand beside published ones.
  package let comparable: Bool
  /// The values for every model.
  package let values: [PresetValue]
  /// What single models change or add, by the model's name.
  package let overrides: [String: [PresetValue]]

  /// A preset; its name is unique within the task.
  package init(
    name: String, summary: String, comparable: Bool, values: [PresetValue],
    overrides: [String: [PresetValue]] = [:]
  ) {
    self.name = name
    self.summary = summary
    self.comparable = comparable
    self.values = values
    self.overrides = overrides
  }

  /// The values for one model, overrides applied.
  package func values(for model: String) -> [PresetValue] {
    Self.replacing(values, with: overrides[model] ?? [])
  }

  /// Values of which some are replaced, by key, or added.
  static func replacing(_ values: [PresetValue], with own: [PresetValue]) -> [PresetValue] {
    let changed = Set(own.map(\.key))
    return values.filter { !changed.contains($0.key) } + own
  }
}
