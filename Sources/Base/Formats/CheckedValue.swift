// SPDX-License-Identifier: Apache-2.0

/// A value from a file that anybody may have changed: it knows in which range its fields must lie.
///
/// What is read through `SnakeCaseJSON.checked` and `JSONLines` was checked, so that code that computes
/// with it need not ask again.
package protocol CheckedValue: Decodable {
  /// Checks the fields.
  ///
  /// - Throws: the first fault.
  func check() throws(FieldFault)
}

/// What is wrong with a field of a value in a file.
package struct FieldFault: Error, Equatable {
  /// One line, to follow the file's name and a colon: `step_s is -1.0, not in 1e-09 to 1e+12`.
  package let text: String

  /// A fault in words.
  package init(_ text: String) { self.text = text }
}

/// The numbers that a field may hold.
///
/// The bounds are far beyond what can be measured, and near enough that sums, products and ratios of a
/// few such numbers stay finite, and rounded ones fit into an `Int`.
package struct FieldRange: Sendable {
  private let range: ClosedRange<Double>

  /// A range with both its ends.
  package init(_ range: ClosedRange<Double>) { self.range = range }

  /// Whole numbers of things, bytes, steps: 0 to 10¹⁵.
  package static let count = FieldRange(0...1e15)
  /// Counts by which something is divided: 1 to 10¹⁵.
  package static let positiveCount = FieldRange(1...1e15)
  /// Shares of a whole: 0 to 1.
  package static let share = FieldRange(0...1)
  /// Seconds, rates and sizes that may be nothing: 0 to 10¹².
  package static let amount = FieldRange(0...1e12)
  /// Seconds by which something is divided: 10⁻⁹ to 10¹².
  package static let positiveAmount = FieldRange(1e-9...1e12)
  /// Any number that a 32-bit float holds, such as a loss.
  package static let number = FieldRange(-1e39...1e39)

  /// Whether a number lies in the range; NaN does not.
  package func contains(_ value: Double) -> Bool { range.contains(value) }

  /// Checks numbers under their names in the file; nil is a field that is absent.
  package func check(_ fields: KeyValuePairs<String, Double?>) throws(FieldFault) {
    for (name, value) in fields {
      guard let value, !range.contains(value) else { continue }
      throw FieldFault("\(name) is \(value), not in \(range.lowerBound) to \(range.upperBound)")
    }
  }

  /// Checks whole numbers under their names in the file; nil is a field that is absent.
  package func check(_ fields: KeyValuePairs<String, Int?>) throws(FieldFault) {
    for (name, value) in fields {
      guard let value, !range.contains(Double(value)) else { continue }
      throw FieldFault("\(name) is \(value), not in \(range.lowerBound) to \(range.upperBound)")
    }
  }
}

extension CheckedValue {
  /// Checks a value that stands in a field of another one.
  package func check(in field: String) throws(FieldFault) {
    do { try check() } catch { throw FieldFault("\(field).\(error.text)") }
  }
}
