// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Hyper-parameters that belong together: each property is a ``Knob``, and its key is
/// `section.name-of-the-property`.
package protocol SettingSection: Decodable, Sendable {
  /// The part of the keys before the dot.
  static var section: String { get }
  /// All knobs at their defaults.
  init()
}

extension SettingSection {
  /// What is declared, in the order of the properties.
  package static var declarations: [SettingDeclaration] { knobs.map(\.declaration) }

  /// Reads the values of all knobs; one without a value keeps its default.
  ///
  /// - Throws: `UserError(.configuration)` that names a key whose value has another kind or is not
  ///   allowed, and says what is.
  package init(_ settings: Settings) throws {
    try self.init { settings[$0.key] }
  }

  /// Reads values by their names without the section.
  ///
  /// - Throws: as ``init(_:)``.
  package init(values: [String: Setting]) throws {
    try self.init { values[$0.name] }
  }

  /// Checks values that were set one by one.
  ///
  /// - Throws: as ``init(_:)``.
  package func check() throws {
    for (child, knob) in zip(Mirror(reflecting: self).children, Self.knobs) {
      if let value = child.value as? any DeclaredKnob { try knob.declaration.check(value.setting) }
    }
  }

  private init(_ value: (SettingDeclaration) -> Setting?) throws {
    var values: [String: Setting] = [:]
    for (property, declaration) in Self.knobs {
      values[property] = try declaration.check(value(declaration) ?? declaration.value)
    }
    self = try JSONDecoder().decode(Self.self, from: JSONEncoder().encode(values))
  }

  /// Each declaration with the name of its property.
  private static var knobs: [(property: String, declaration: SettingDeclaration)] {
    Mirror(reflecting: Self()).children.map { label, value in
      // The storage of a wrapped property `width` is `_width`.
      let property = String((label ?? "").dropFirst())
      guard let knob = value as? any DeclaredKnob,
        let declaration = knob.declared(section: section, property: property)
      else { preconditionFailure("\(Self.self): \(property) is no @Knob") }
      return (property, declaration)
    }
  }
}
