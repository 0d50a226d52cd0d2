// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Every knob of a run in one flat, ordered table: key, value, and where the value comes from.
///
/// Keys read `section.name`, such as `train.learning-rate`. A key is declared once with its
/// default; its value may then be set again and again (preset, file, flag), later ones winning, but
/// only to a value of the declared kind.
package struct Settings: Sendable, Equatable {
  /// One line of the table.
  package struct Entry: Sendable, Equatable {
    /// `section.name`.
    package let key: String
    /// The value in force.
    package fileprivate(set) var value: Setting
    /// Where the value comes from, such as `default`, `preset quick` or `--set`.
    package fileprivate(set) var origin: String
  }

  /// The table, in the order of declaration.
  package private(set) var entries: [Entry] = []
  private var places: [String: Int] = [:]

  /// Makes an empty table.
  package init() {}

  /// Adds a key with its default, whose kind every later value must have.
  ///
  /// - Precondition: `key` has a section and is new.
  package mutating func declare(_ key: String, _ value: Setting, origin: String = "default") {
    precondition(key.contains("."), "settings: \(key) has no section")
    precondition(places[key] == nil, "settings: \(key) is declared twice")
    places[key] = entries.count
    entries.append(Entry(key: key, value: value, origin: origin))
  }

  /// Adds a key with its default, as ``declare(_:_:origin:)`` does.
  package mutating func declare(_ declaration: SettingDeclaration, origin: String = "default") {
    declare(declaration.key, declaration.value, origin: origin)
  }

  /// Whether `key` is declared.
  package func contains(_ key: String) -> Bool { places[key] != nil }

  /// The value of `key`, or `nil` where it is not declared.
  package subscript(key: String) -> Setting? { places[key].map { entries[$0].value } }

  /// Gives a declared key a new value.
  ///
  /// - Throws: `UserError(.configuration)` for an unknown key, naming the nearest known ones, and
  ///   for a value of another kind. An integer is accepted where a number is declared.
  package mutating func set(_ key: String, _ value: Setting, origin: String) throws {
    let place = try place(of: key)
    if case .number(let number) = value, !number.isFinite { throw mismatch(key, value, origin) }
    guard let fitting = value.asKind(of: entries[place].value) else {
      throw mismatch(key, value, origin)
    }
    entries[place].value = fitting
    entries[place].origin = origin
  }

  /// Gives a declared key a new value from text such as `train.learning-rate=1e-4`.
  ///
  /// - Throws: `UserError(.configuration)` as `set(_:_:origin:)` does, and for text without `=`.
  package mutating func set(assignment: String, origin: String) throws {
    guard let equals = assignment.firstIndex(of: "=") else {
      throw UserError(
        .configuration, "\(origin): \"\(assignment)\" is not an assignment",
        remedy: "write it as section.key=value")
    }
    let key = String(assignment[..<equals]).trimmingCharacters(in: .whitespaces)
    let text = String(assignment[assignment.index(after: equals)...])
      .trimmingCharacters(in: .whitespaces)
    let value: Setting? =
      switch entries[try place(of: key)].value {
      case .boolean: Bool(text).map(Setting.boolean)
      case .integer: Int(text).map(Setting.integer)
      case .number: Double(text).map(Setting.number)
      case .text: .text(text)
      }
    guard let value else { throw mismatch(key, .text(text), origin) }
    try set(key, value, origin: origin)
  }

  /// Takes a value that a file holds as a whole number for the number that it is declared as, so that it may
  /// become a fraction.
  ///
  /// - Parameter declared: the default of the key, which is there.
  package mutating func takeKind(of declared: Setting, for key: String) throws {
    let place = try place(of: key)
    guard let fitting = entries[place].value.asKind(of: declared) else { return }
    entries[place].value = fitting
  }

  /// Whether both tables have the same keys with the same values, whatever their origins and order.
  ///
  /// - Parameter ignored: keys that may differ.
  package func hasSameValues(as other: Settings, ignoring ignored: Set<String> = []) -> Bool {
    Set(entries.map(\.key)) == Set(other.entries.map(\.key))
      && entries.allSatisfy { ignored.contains($0.key) || $0.value.isSame(as: other[$0.key]) }
  }

  /// The value of an integer key.
  ///
  /// - Throws: `UserError(.configuration)` where `key` is missing or of another kind, as the other
  ///   getters do.
  package func integer(_ key: String) throws -> Int {
    guard case .integer(let value) = entries[try place(of: key)].value else {
      throw wrongKind(key, "an integer")
    }
    return value
  }

  /// The value of a number key; an integer counts as a number.
  package func number(_ key: String) throws -> Double {
    switch entries[try place(of: key)].value {
    case .number(let value): return value
    case .integer(let value): return Double(value)
    default: throw wrongKind(key, "a number")
    }
  }

  /// The value of a boolean key.
  package func boolean(_ key: String) throws -> Bool {
    guard case .boolean(let value) = entries[try place(of: key)].value else {
      throw wrongKind(key, "true or false")
    }
    return value
  }

  /// The value of a text key.
  package func text(_ key: String) throws -> String {
    guard case .text(let value) = entries[try place(of: key)].value else {
      throw wrongKind(key, "text")
    }
    return value
  }

  /// The value of a text key as one of an enumeration's cases.
  ///
  /// - Throws: `UserError(.configuration)` that lists the cases when the text is none of them.
  package func choice<T>(_ key: String, of kind: T.Type = T.self) throws -> T
  where T: RawRepresentable<String> & CaseIterable {
    let value = try text(key)
    guard let choice = T(rawValue: value) else {
      let names = T.allCases.map(\.rawValue).joined(separator: ", ")
      throw UserError(
        .configuration, "\(key): \"\(value)\" is not one of \(names)",
        remedy: "set \(key) to one of them")
    }
    return choice
  }

  /// The whole table as aligned text: key, value, origin.
  package func explained() -> String {
    let keys = entries.map(\.key.count).max() ?? 0
    let values = entries.map(\.value.description.count).max() ?? 0
    return entries.map { entry in
      let key = entry.key.padding(toLength: keys, withPad: " ", startingAt: 0)
      let value = entry.value.description.padding(toLength: values, withPad: " ", startingAt: 0)
      return "\(key)  \(value)  \(entry.origin)"
    }.joined(separator: "\n")
  }

  private func place(of key: String) throws -> Int {
    if let place = places[key] { return place }
    let near = nearestNames(to: key, among: entries.map(\.key))
    let section = key.prefix { $0 != "." }
    let known = entries.filter { $0.key.hasPrefix("\(section).") }.map(\.key)
    let remedy =
      if !near.isEmpty {
        "did you mean \(near.joined(separator: " or "))?"
      } else if known.isEmpty {
        "the sections are \(sections.joined(separator: ", "))"
      } else {
        "section \(section) has \(known.joined(separator: ", "))"
      }
    throw UserError(
      .configuration,
      known.isEmpty
        ? "unknown key \(key): there is no section \"\(section)\""
        : "unknown key \(key) in section \(section)",
      remedy: remedy)
  }

  /// The sections' names, in the order of declaration.
  private var sections: [String] {
    var names: [String] = []
    for entry in entries {
      let name = String(entry.key.prefix { $0 != "." })
      if !names.contains(name) { names.append(name) }
    }
    return names
  }

  private func mismatch(_ key: String, _ given: Setting, _ origin: String) -> UserError {
    let (expected, example) =
      switch self[key] {
      case .boolean: ("true or false", "true")
      case .integer: ("an integer", "64")
      case .number: ("a finite number", "1e-4")
      default: ("text", "\"a word\"")
      }
    return UserError(
      .configuration, "\(key): got \"\(given)\" from \(origin), expected \(expected)",
      remedy: "give it a value such as \(key)=\(example)")
  }

  private func wrongKind(_ key: String, _ expected: String) -> UserError {
    UserError(
      .configuration, "\(key): expected \(expected), found \"\(self[key]?.description ?? "")\"",
      remedy: "correct the value of \(key)")
  }
}
