// SPDX-License-Identifier: Apache-2.0

import Base

extension TaskEntry {
  /// A user's own sequences.
  static let sequences = TaskEntry(
    Sequences.self,
    summary: "classify your own sequences: tokens or texts with labels, in TSV or safetensors",
    presets: SequencesPresets.all, published: [], settings: Sequences.Own.self,
    derived: Sequences.derived)
}

/// Hyper-parameters for a user's own sequences, the default preset first; the data give the length.
enum SequencesPresets {
  static let all = [small, quick]

  private static let base =
    [
      PresetValue(
        "task.length", .integer(Sequences.usualLength), source: "ours: until there are data")
    ]
    + NystromPreset.model
    + NystromPreset.training(
      steps: 5000, batch: 32, warmup: 1000, evalEvery: (250, "ours: as for ListOps"))

  private static let small = Preset(
    name: "small", summary: "two layers of width 64, 5000 steps: the small preset of ListOps",
    comparable: false, values: base, overrides: NystromPreset.overrides)

  private static let quick = QuickPreset.preset(
    summary: "600 steps at a higher rate", from: base, with: [:])
}
