// SPDX-License-Identifier: Apache-2.0

/// The type of a ``Knob``.
package protocol SettingValue: Sendable, Equatable {
  /// Nil for a setting of another kind, or one that has no such value.
  init?(setting: Setting)
  /// The value as a setting.
  var setting: Setting { get }
  /// What the type itself allows.
  static var allowed: AllowedValues { get }
}

extension SettingValue {
  /// All values of the kind.
  package static var allowed: AllowedValues { .any }
}

extension Int: SettingValue {
  /// A whole number.
  package init?(setting: Setting) {
    guard case .integer(let value) = setting else { return nil }
    self = value
  }

  /// A whole number.
  package var setting: Setting { .integer(self) }
}

/// A seed: any whole number, by its bits.
extension UInt64: SettingValue {
  /// A whole number, which may be negative.
  package init?(setting: Setting) {
    guard case .integer(let value) = setting else { return nil }
    self.init(bitPattern: Int64(value))
  }

  /// A whole number with the same bits.
  package var setting: Setting { .integer(Int(Int64(bitPattern: self))) }
}

extension Double: SettingValue {
  /// A number; a file has 0.0 as 0.
  package init?(setting: Setting) {
    switch setting {
    case .number(let value): self = value
    case .integer(let value): self.init(value)
    default: return nil
    }
  }

  /// A number.
  package var setting: Setting { .number(self) }
}

extension Bool: SettingValue {
  /// True or false.
  package init?(setting: Setting) {
    guard case .boolean(let value) = setting else { return nil }
    self = value
  }

  /// True or false.
  package var setting: Setting { .boolean(self) }
}

extension String: SettingValue {
  /// A text.
  package init?(setting: Setting) {
    guard case .text(let value) = setting else { return nil }
    self = value
  }

  /// A text.
  package var setting: Setting { .text(self) }
}

/// An enumeration whose raw values are what a user writes.
package protocol SettingChoice: SettingValue, CaseIterable, RawRepresentable
where RawValue == String {}

extension SettingChoice {
  /// The case of that text.
  package init?(setting: Setting) {
    guard case .text(let value) = setting else { return nil }
    self.init(rawValue: value)
  }

  /// The raw value.
  package var setting: Setting { .text(rawValue) }

  /// The raw values.
  package static var allowed: AllowedValues { .words(allCases.map(\.rawValue)) }
}
