// SPDX-License-Identifier: Apache-2.0

/// Which values of its kind a setting may have.
package enum AllowedValues: Sendable, Equatable {
  /// All of them; numbers are finite.
  case any
  /// Whole numbers.
  case integers(ClosedRange<Int>)
  /// Numbers.
  case numbers(NumberRange)
  /// The raw values of an enumeration.
  case words([String])

  /// What a value should be and is not; nil where it is allowed.
  ///
  /// Values of another kind are not looked at.
  func rule(brokenBy setting: Setting) -> String? {
    if case .number(let value) = setting, !value.isFinite { return "finite" }
    switch (self, setting) {
    case (.integers(let range), .integer(let value)):
      if value < range.lowerBound { return "at least \(range.lowerBound)" }
      return value > range.upperBound ? "at most \(range.upperBound)" : nil
    case (.numbers(let range), .number(let value)):
      return range.contains(value) ? nil : range.rule
    case (.words(let words), .text(let value)):
      return words.contains(value) ? nil : "one of \(words.joined(separator: ", "))"
    default: return nil
    }
  }
}

extension AllowedValues: CustomStringConvertible {
  /// For people; empty where all values are allowed.
  package var description: String {
    switch self {
    case .any: ""
    case .integers(let range):
      "\(formatCount(range.lowerBound)) to \(formatCount(range.upperBound))"
    case .numbers(let range): range.rule
    case .words(let words): words.joined(separator: ", ")
    }
  }
}

/// Numbers between two bounds.
package struct NumberRange: Sendable, Equatable {
  let lower: Double
  let includesLower: Bool
  let upper: Double?
  let includesUpper: Bool

  /// From `lower` on, to below `upper`.
  init(_ lower: Double, below upper: Double) {
    (self.lower, includesLower, self.upper, includesUpper) = (lower, true, upper, false)
  }

  /// From `lower` on.
  init(_ lower: Double, through upper: Double? = nil) {
    (self.lower, includesLower, self.upper, includesUpper) = (lower, true, upper, true)
  }

  /// Above `lower`.
  init(above lower: Double, through upper: Double?) {
    (self.lower, includesLower, self.upper, includesUpper) = (lower, false, upper, true)
  }

  func contains(_ value: Double) -> Bool {
    guard includesLower ? value >= lower : value > lower else { return false }
    guard let upper else { return true }
    return includesUpper ? value <= upper : value < upper
  }

  /// What a number should be: `at least 0`, `above 0 and at most 1`, `in 0 ..< 1`.
  var rule: String {
    let least = "\(Self.text(lower))"
    guard let upper = upper.map(Self.text) else {
      return includesLower ? "at least \(least)" : "above \(least)"
    }
    if includesLower { return "in \(least) \(includesUpper ? "..." : "..<") \(upper)" }
    return "above \(least) and at most \(upper)"
  }

  private static func text(_ bound: Double) -> String {
    Int(exactly: bound).map(String.init) ?? "\(bound)"
  }
}
