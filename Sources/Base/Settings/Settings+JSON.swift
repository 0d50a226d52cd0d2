// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Settings {
  /// Makes a table from a run's `config.json`, declaring every key that the file holds.
  ///
  /// - Parameters:
  ///   - json: an object of sections, each an object of plain values.
  ///   - origin: the file's name, for messages and for the origin of each value.
  /// - Throws: `UserError(.configuration)` when the text is not of that form.
  package init(json: Data, origin: String) throws {
    self.init()
    for (key, value) in try Self.flattened(json, origin) {
      declare(key, value, origin: origin)
    }
  }

  /// Makes a table from values by section and name, declaring every key.
  ///
  /// - Throws: `UserError(.configuration)` when two of them make the same key.
  package init(_ nested: [String: [String: Setting]], origin: String) throws {
    self.init()
    var values: [String: Setting] = [:]
    for (section, members) in nested {
      for (name, value) in members {
        try Self.add(value, "\(section).\(name)", to: &values, origin)
      }
    }
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      declare(key, value, origin: origin)
    }
  }

  /// The values by section and name.
  package var nested: [String: [String: Setting]] {
    var sections: [String: [String: Setting]] = [:]
    for entry in entries {
      let section = entry.key.prefix { $0 != "." }
      sections[String(section), default: [:]][String(entry.key.dropFirst(section.count + 1))] =
        entry.value
    }
    return sections
  }

  /// The table as JSON, one object a section, keys sorted: `{"train": {"steps": 5000}}`.
  package func json() throws -> Data {
    try encoded([.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
  }

  /// A hash of all keys and values, 16 hexadecimal digits; origins and order do not count.
  ///
  /// - Parameter excluded: keys left out, such as the seed when runs that differ by it only are to
  ///   share a hash.
  package func hash(excluding excluded: Set<String> = []) throws -> String {
    var counted = Settings()
    for entry in entries where !excluded.contains(entry.key) {
      counted.declare(entry.key, entry.value)
    }
    let canonical = try counted.encoded([.sortedKeys, .withoutEscapingSlashes])
    var hash = FNV1a()
    hash.add(canonical)
    return hash.hexadecimal
  }

  private func encoded(_ format: JSONEncoder.OutputFormatting) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = format
    return try encoder.encode(nested)
  }

  private static func flattened(_ json: Data, _ origin: String) throws -> [(String, Setting)] {
    let root: JSONText.Value
    do { root = try JSONText.parse(Array(json)[...]) } catch let failure as JSONText.Failure {
      throw misshapen(origin, failure.reason)
    }
    guard case .object(let sections) = root else { throw misshapen(origin, "it is no object") }
    var values: [String: Setting] = [:]
    for (section, content) in sections {
      guard case .object(let members) = content else {
        throw misshapen(origin, "\(section) is no object")
      }
      for (name, value) in members {
        let key = "\(section).\(name)"
        guard let setting = Setting(value) else {
          throw misshapen(origin, "\(key) is neither a number nor a text nor true or false")
        }
        try add(setting, key, to: &values, origin)
      }
    }
    return values.sorted { $0.key < $1.key }
  }

  private static func add(
    _ value: Setting, _ key: String, to values: inout [String: Setting], _ origin: String
  ) throws {
    guard values.updateValue(value, forKey: key) == nil else {
      throw misshapen(origin, "\(key) occurs twice")
    }
  }

  private static func misshapen(_ origin: String, _ problem: String) -> UserError {
    UserError(
      .configuration, "\(origin): not a configuration in JSON: \(problem)",
      remedy: "it should read {\"section\": {\"key\": value, ...}, ...}")
  }
}

extension Setting {
  /// A plain value, the number 5.0 as 5 as Foundation's reader has it; nil for others.
  fileprivate init?(_ value: JSONText.Value) {
    switch value {
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = Int(exactly: value).map(Setting.integer) ?? .number(value)
    case .string(let value): self = .text(value)
    case .object, .array, .null: return nil
    }
  }
}
