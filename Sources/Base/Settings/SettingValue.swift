/// The type of a ``Knob``.
public protocol SettingValue: Sendable, Equatable {
  /// Nil for a setting of another kind, or one that has no such value.
  init?(setting: Setting)
  /// The value as a setting.
  var setting: Setting { get }
  /// What the type itself allows.
  static var allowed: AllowedValues { get }
}

extension SettingValue {
  /// All values of the kind.
  public static var allowed: AllowedValues { .any }
}

extension Int: SettingValue {
  /// A whole number.
  public init?(setting: Setting) {
    guard case .integer(let value) = setting else { return nil }
    self = value
  }

  /// A whole number.
  public var setting: Setting { .integer(self) }
}

/// A seed: any whole number, by its bits.
extension UInt64: SettingValue {
  /// A whole number, which may be negative.
  public init?(setting: Setting) {
    guard case .integer(let value) = setting else { return nil }
    self.init(bitPattern: Int64(value))
  }

  /// A whole number with the same bits.
  public var setting: Setting { .integer(Int(Int64(bitPattern: self))) }
}

extension Double: SettingValue {
  /// A number; a file has 0.0 as 0.
  public init?(setting: Setting) {
    switch setting {
    case .number(let value): self = value
    case .integer(let value): self.init(value)
    default: return nil
    }
  }

  /// A number.
  public var setting: Setting { .number(self) }
}

extension Bool: SettingValue {
  /// True or false.
  public init?(setting: Setting) {
    guard case .boolean(let value) = setting else { return nil }
    self = value
  }

  /// True or false.
  public var setting: Setting { .boolean(self) }
}

extension String: SettingValue {
  /// A text.
  public init?(setting: Setting) {
    guard case .text(let value) = setting else { return nil }
    self = value
  }

  /// A text.
  public var setting: Setting { .text(self) }
}

/// An enumeration whose raw values are what a user writes.
public protocol SettingChoice: SettingValue, CaseIterable, RawRepresentable
where RawValue == String {}

extension SettingChoice {
  /// The case of that text.
  public init?(setting: Setting) {
    guard case .text(let value) = setting else { return nil }
    self.init(rawValue: value)
  }

  /// The raw value.
  public var setting: Setting { .text(rawValue) }

  /// The raw values.
  public static var allowed: AllowedValues { .words(allCases.map(\.rawValue)) }
}
