// SPDX-License-Identifier: Apache-2.0

import Foundation

/// An amount that is known within a range, such as an energy that a model estimates.
///
/// Factors are taken to be wrong all at once: products have the product of the ranges' ends, sums their
/// sum, so that an interval is the widest that its parts allow. No amount is below zero.
package struct Uncertain: Codable, Sendable, Equatable {
  /// The likeliest value.
  package let value: Double
  /// The least that it may be.
  package let low: Double
  /// The most that it may be.
  package let high: Double

  /// An amount between two others.
  ///
  /// - Precondition: `low` ≤ `value` ≤ `high`.
  package init(_ value: Double, low: Double, high: Double) {
    precondition(low <= value && value <= high, "\(value) is not in \(low) to \(high)")
    (self.value, self.low, self.high) = (value, low, high)
  }

  /// An amount that is known.
  package init(exactly value: Double) { self.init(value, low: value, high: value) }

  /// An amount that may be off by factors, 0.5…1.5 say.
  package init(_ value: Double, within factors: ClosedRange<Double>) {
    self.init(value, low: value * factors.lowerBound, high: value * factors.upperBound)
  }

  /// Whether it is known.
  package var isExact: Bool { low == high }

  package static func * (a: Self, b: Self) -> Self {
    Self(a.value * b.value, low: a.low * b.low, high: a.high * b.high)
  }

  package static func * (a: Self, factor: Double) -> Self { a * Self(exactly: factor) }

  package static func + (a: Self, b: Self) -> Self {
    Self(a.value + b.value, low: a.low + b.low, high: a.high + b.high)
  }
}

extension Uncertain: CheckedValue {
  /// Checks that it is an amount, inside its range.
  package func check() throws(FieldFault) {
    try FieldRange.energy.check(["value": value, "low": low, "high": high])
    guard low <= value, value <= high else {
      throw FieldFault("value is \(value), not in \(low) to \(high)")
    }
  }
}

extension FieldRange {
  /// Joules, and what is computed of them: 0 to 10¹⁸.
  fileprivate static let energy = FieldRange(0...1e18)
}

extension Uncertain {
  /// Two significant digits, with the range where there is one: `56 (28–84)`.
  package var text: String {
    formatSignificant(value)
      + (isExact ? "" : " (\(formatSignificant(low))–\(formatSignificant(high)))")
  }

  /// The same with the unit behind it: `56 Wh (28–84)`.
  package func text(unit: String) -> String {
    formatSignificant(value) + " \(unit)"
      + (isExact ? "" : " (\(formatSignificant(low))–\(formatSignificant(high)))")
  }

  /// The same in the largest of several units that leaves one unit or more of it, else the smallest.
  ///
  /// - Parameter units: from the smallest, each with how many of the amount's own it is.
  package func text(units: [(name: String, size: Double)]) -> String {
    guard let unit = units.last(where: { value >= $0.size }) ?? units.first else { return text }
    return (self * (1 / unit.size)).text(unit: unit.name)
  }

  /// Reads an amount, `0.2`, or a range, `0.74-2.48`, whose middle is the value.
  ///
  /// - Parameter option: where it was given, for the message.
  /// - Throws: `UserError(.usage)` for other texts, amounts below zero and ranges that end before they
  ///   begin.
  package init(parsing text: String, option: String) throws {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { part in
      Double(part).flatMap { (0...1e12).contains($0) ? $0 : nil }
    }
    switch parts.count {
    case 1:
      guard let value = parts[0] else { break }
      self.init(exactly: value)
      return
    case 2:
      guard let low = parts[0], let high = parts[1], low <= high else { break }
      self.init((low + high) / 2, low: low, high: high)
      return
    default: break
    }
    throw UserError(
      .usage, "\(option): \"\(text)\" is neither a number nor a range",
      remedy: "write it as 0.2, or as 0.74-2.48, the lower end first")
  }
}

/// An amount with two significant digits: `0.075`, `56`, `1,500`; 99.7 is `100`.
package func formatSignificant(_ value: Double) -> String {
  let text = String(format: "%.1e", value)
  guard value != 0, let rounded = Double(text),
    let exponent = text.split(separator: "e").last.flatMap({ Int($0) })
  else { return formatNumber("%g", value) }
  if exponent < 1 { return String(format: "%.\(1 - exponent)f", rounded) }
  return Int(exactly: rounded).map(formatCount) ?? text
}
