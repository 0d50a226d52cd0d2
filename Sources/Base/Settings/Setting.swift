// SPDX-License-Identifier: Apache-2.0

/// One configuration value, as a preset or a `--set key=value` flag gives it.
package enum Setting: Sendable, Hashable, Codable {
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case text(String)

  /// Reads JSON's plain values; an integer stays an integer.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Bool.self) {
      self = .boolean(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  /// Writes the plain JSON value.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .boolean(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    }
  }
}

extension Setting: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, CustomStringConvertible
{
  /// The value `true` or `false`.
  package init(booleanLiteral value: Bool) { self = .boolean(value) }
  /// A whole number.
  package init(integerLiteral value: Int) { self = .integer(value) }
  /// A number with a fraction.
  package init(floatLiteral value: Double) { self = .number(value) }
  /// A text.
  package init(stringLiteral value: String) { self = .text(value) }

  /// The value as a user types it after `--set key=`.
  package var description: String {
    switch self {
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): value
    }
  }
}

/// Checks a whole number.
///
/// - Throws: `UserError(.configuration)` naming the key and the bound that it breaks.
package func checkRange(_ key: String, _ value: Int, _ range: ClosedRange<Int>) throws {
  if range.contains(value) { return }
  let rule =
    value < range.lowerBound ? "at least \(range.lowerBound)" : "at most \(range.upperBound)"
  throw UserError(
    .configuration, "\(key) is \(value), but must be \(rule)", remedy: "give it another value")
}

extension Setting {
  /// What messages call a value of this kind.
  var kindName: String {
    switch self {
    case .boolean: "true or false"
    case .integer: "an integer"
    case .number: "a number"
    case .text: "text"
    }
  }

  /// The value as one of `other`'s kind, nil where it is of another; an integer is a number too.
  func asKind(of other: Setting) -> Setting? {
    switch (self, other) {
    case (.boolean, .boolean), (.integer, .integer), (.text, .text), (.number, .number): self
    case (.integer(let value), .number): .number(Double(value))
    default: nil
    }
  }

  /// Whether two settings have the same value; a file has the number 0.0 as 0.
  package func isSame(as other: Setting?) -> Bool {
    switch (self, other) {
    case (.number(let number), .integer(let integer)), (.integer(let integer), .number(let number)):
      number == Double(integer)
    default: self == other
    }
  }
}
