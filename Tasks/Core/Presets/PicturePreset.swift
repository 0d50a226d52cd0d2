// SPDX-License-Identifier: Apache-2.0

import Base

/// What the presets of the tasks whose sequences are pixels have in common.
enum PicturePreset {
  /// What single models add in the presets `small`.
  static let overrides = withPixels(NystromPreset.overrides)

  /// What single models add in the presets `quick`.
  static let quickOverrides = withPixels(QuickPreset.overrides)

  /// Recurrences read brightness as a quantity: with a row for each of 256 values `s4d` stays at
  /// chance on Pathfinder.
  private static func withPixels(
    _ overrides: [String: [PresetValue]]
  ) -> [String: [PresetValue]] {
    overrides.merging(RecurrencePreset.small.mapValues { _ in [RecurrencePreset.pixels] }) {
      $0 + $1
    }
  }
}
