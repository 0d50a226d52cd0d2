// SPDX-License-Identifier: Apache-2.0

import Base

/// The CO2 of an energy with what it was computed by, as results keep it.
package struct CarbonNote: Codable, Sendable, Equatable, CheckedValue {
  /// What the grid was asked for by, `FRA` or `0.433`.
  package let grid: String
  /// Energy of the building for each unit of the machine's.
  package let pue: Uncertain
  /// kg of CO2 equivalents.
  package let kilograms: Uncertain

  /// Checks the numbers.
  package func check() throws(FieldFault) {
    try pue.check(in: "pue")
    try kilograms.check(in: "kilograms")
  }
}
