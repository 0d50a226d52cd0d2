// SPDX-License-Identifier: Apache-2.0

/// One hyper-parameter, declared where it is used: its default, its help, and what it may be.
///
/// ```swift
/// struct Options: SettingSection {
///   static let section = "model"
///   @Knob("tokens of a block", 1...4096) var block = 64
/// }
/// ```
/// declares the key `model.block`. Configuration, checks, `lra list`, `lra explain`, `lra bench` and
/// `docs/settings.md` follow from the declaration.
@propertyWrapper
package struct Knob<Value: SettingValue>: Sendable {
  /// The value in force.
  package var wrappedValue: Value
  /// What was declared; nil in a value that was read from settings.
  let declaration: Declaration?

  /// What a declaration says beside the name of the property.
  struct Declaration: Sendable {
    let value: Setting
    let help: String
    let allowed: AllowedValues
    let key: String?
  }

  private init(_ value: Value, _ help: String, _ allowed: AllowedValues, _ key: String?) {
    wrappedValue = value
    declaration = Declaration(value: value.setting, help: help, allowed: allowed, key: key)
  }

  /// A knob that may have every value of its type.
  ///
  /// - Parameters:
  ///   - help: what it decides, one line without a full stop.
  ///   - key: the key without its section, where it is not the property's name with hyphens.
  package init(wrappedValue: Value, _ help: String, key: String? = nil) {
    self.init(wrappedValue, help, Value.allowed, key)
  }
}

extension Knob where Value == Int {
  /// A whole number within bounds.
  package init(wrappedValue: Int, _ help: String, _ range: ClosedRange<Int>, key: String? = nil) {
    self.init(wrappedValue, help, .integers(range), key)
  }

  /// A whole number from a lower bound on, up to 2²².
  ///
  /// That is far more than any model can have, and so little that products of sizes do not overflow.
  package init(
    wrappedValue: Int, _ help: String, _ range: PartialRangeFrom<Int>, key: String? = nil
  ) {
    self.init(wrappedValue, help, .integers(range.lowerBound...1 << 22), key)
  }
}

extension Knob where Value == Double {
  /// A number below an upper bound.
  package init(wrappedValue: Double, _ help: String, _ range: Range<Double>, key: String? = nil) {
    self.init(
      wrappedValue, help, .numbers(NumberRange(range.lowerBound, below: range.upperBound)), key)
  }

  /// A number within bounds, both included.
  package init(
    wrappedValue: Double, _ help: String, _ range: ClosedRange<Double>, key: String? = nil
  ) {
    self.init(
      wrappedValue, help, .numbers(NumberRange(range.lowerBound, through: range.upperBound)), key)
  }

  /// A finite number from a lower bound on.
  package init(
    wrappedValue: Double, _ help: String, _ range: PartialRangeFrom<Double>, key: String? = nil
  ) {
    self.init(wrappedValue, help, .numbers(NumberRange(range.lowerBound)), key)
  }

  /// A finite number above a lower bound.
  package init(
    wrappedValue: Double, _ help: String, above bound: Double, through most: Double? = nil,
    key: String? = nil
  ) {
    self.init(wrappedValue, help, .numbers(NumberRange(above: bound, through: most)), key)
  }
}

extension Knob: Equatable {
  /// Whether the values are the same.
  package static func == (a: Knob, b: Knob) -> Bool { a.wrappedValue == b.wrappedValue }
}

extension Knob: Decodable {
  /// Reads a value that has been held against its declaration before.
  package init(from decoder: any Decoder) throws {
    let setting = try Setting(from: decoder)
    guard let value = Value(setting: setting) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\(setting) does not fit"))
    }
    wrappedValue = value
    declaration = nil
  }
}

/// A knob of any type, as a section finds it among its properties.
protocol DeclaredKnob {
  /// The value in force.
  var setting: Setting { get }
  /// The declaration under its full key.
  func declared(section: String, property: String) -> SettingDeclaration?
}

extension Knob: DeclaredKnob {
  var setting: Setting { wrappedValue.setting }

  func declared(section: String, property: String) -> SettingDeclaration? {
    declaration.map { declaration in
      SettingDeclaration(
        section: section, name: declaration.key ?? hyphenated(property), value: declaration.value,
        help: declaration.help, allowed: declaration.allowed)
    }
  }
}

/// `learningRate` becomes `learning-rate`.
private func hyphenated(_ property: String) -> String {
  property.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
}
