// SPDX-License-Identifier: Apache-2.0

/// What is known of a hyper-parameter before it has a value.
package struct SettingDeclaration: Sendable, Equatable {
  /// The part of the key before the dot.
  package let section: String
  /// The part of the key behind the dot.
  package let name: String
  /// The default, of the kind that every value has.
  package let value: Setting
  /// What it decides, one line.
  package let help: String
  /// Which values of the kind it may have.
  package let allowed: AllowedValues

  /// `section.name`.
  package var key: String { "\(section).\(name)" }

  /// What it may be, for people: `0 ..< 1`, `mean, cls`, `true or false`.
  package var range: String {
    if case .any = allowed { return value.kindName }
    return allowed.description
  }

  /// Declares a setting.
  package init(
    section: String, name: String, value: Setting, help: String, allowed: AllowedValues = .any
  ) {
    self.section = section
    self.name = name
    self.value = value
    self.help = help
    self.allowed = allowed
  }

  /// Checks a value.
  ///
  /// - Returns: the value in the kind of the default: a file has the number 0.0 as 0.
  /// - Throws: `UserError(.configuration)` that names the key, the value and what is allowed.
  @discardableResult
  package func check(_ given: Setting) throws -> Setting {
    guard let fitting = given.asKind(of: value) else {
      throw UserError(
        .configuration, "\(key): expected \(value.kindName), found \"\(given)\"",
        remedy: "correct the value of \(key)")
    }
    guard let rule = allowed.rule(brokenBy: fitting) else { return fitting }
    if case .words(let words) = allowed {
      throw UserError(
        .configuration, "\(key) is \"\(given)\"",
        remedy: "set it to \(words.dropLast().joined(separator: ", ")) or \(words.last ?? "")")
    }
    throw UserError(
      .configuration, "\(key) is \(given), but must be \(rule)",
      remedy: "lra explain \(key) says what it decides")
  }
}
