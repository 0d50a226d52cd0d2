// SPDX-License-Identifier: Apache-2.0

import Base

/// How much CO₂ a kilowatt-hour stands for, in kg.
package struct CarbonIntensity: Sendable, Equatable {
  /// What it was asked for by, `FRA` or `0.433`.
  package let name: String
  /// kg of CO₂ equivalents a kWh.
  package let kilograms: Uncertain

  /// Reads a code of a country, `FRA`, or kg a kWh, `0.433` or `0.3-0.6`.
  ///
  /// A country's figure is the mean of a year; by place and hour it is half to double that.
  ///
  /// - Parameter option: where it was given, for the message.
  /// - Throws: `UserError(.usage)` that names the nearest codes.
  package init(parsing text: String, option: String) throws {
    name = text
    if text.contains(where: \.isNumber) {
      kilograms = try Uncertain(parsing: text, option: option)
      guard kilograms.high <= 5 else {
        throw UserError(
          .usage, "\(option): \(text) kg of CO2 a kWh is more than any grid has",
          remedy: "give kg, not g: 0.433")
      }
      return
    }
    guard let grams = Self.grams.first(where: { $0.code == text.uppercased() })?.grams else {
      throw UserError(
        .usage, "\(option): there is no grid \"\(text)\"",
        remedy: remedy(unknown: text.uppercased(), among: Self.grams.map(\.code))
          + "\nor give kg of CO2 a kWh, such as 0.433")
    }
    kilograms = Uncertain(grams / 1000, within: 0.5...2)
  }

  /// g of CO₂ a kWh, means of 2023, of Hong Kong and Indonesia of 2022, as codecarbon (b05965e) lists them.
  package static let grams: [(code: String, grams: Double)] = [
    ("WORLD", 475), ("USA", 369), ("FRA", 56), ("DEU", 381), ("CHN", 582), ("IND", 713),
    ("GBR", 238), ("SWE", 41), ("POL", 662), ("CAN", 170), ("NOR", 30), ("AUS", 549),
    ("JPN", 485), ("BRA", 98), ("KOR", 431), ("NLD", 268), ("IRL", 291), ("FIN", 79),
    ("CHE", 35), ("ZAF", 708), ("HKG", 699), ("IDN", 676),
  ]
}
