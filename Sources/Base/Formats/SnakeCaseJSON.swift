// SPDX-License-Identifier: Apache-2.0

import Foundation

/// JSON as the project's files and results have it: names such as `peak_resident_bytes`, keys sorted.
package enum SnakeCaseJSON {
  /// A value as JSON.
  ///
  /// - Parameter oneLine: whether it is one line of a log, or laid out for people.
  /// - Throws: `UserError(.failed)` naming the field that is infinite or NaN, which JSON cannot hold.
  package static func encoded(_ value: some Encodable, oneLine: Bool = false) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if !oneLine { encoder.outputFormatting.insert(.prettyPrinted) }
    return try finite(value, encoder)
  }

  /// A value as JSON of another form, with the same error for what JSON cannot hold.
  ///
  /// - Throws: `UserError(.failed)` naming the field that is infinite or NaN.
  package static func finite(_ value: some Encodable, _ encoder: JSONEncoder) throws -> [UInt8] {
    do {
      return Array(try encoder.encode(value))
    } catch EncodingError.invalidValue(let number, let context) {
      throw UserError(
        .failed, "\(path(context.codingPath)) is \(number), which JSON cannot hold",
        remedy: "the numbers it was computed from are out of range; check the run")
    }
  }

  /// A value of texts read back; one with numbers to compute with is read with `checked`.
  ///
  /// - Throws: `DecodingError`.
  package static func decoded<Value: Decodable>(
    _ type: Value.Type, from bytes: some Sequence<UInt8>
  ) throws -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(bytes))
  }

  /// A value read back and checked.
  ///
  /// - Throws: what is wrong with the first field that is missing, of another kind, or out of range.
  package static func checked<Value: CheckedValue>(
    _ type: Value.Type, from bytes: some Sequence<UInt8>
  ) throws(FieldFault) -> Value {
    let value: Value
    do { value = try decoded(type, from: bytes) } catch {
      throw FieldFault(reason(error))
    }
    try value.check()
    return value
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, let context):
      "has no \(path(context.codingPath + [key]))"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\(path(context.codingPath)) is of another kind"
    case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
      "\(path(context.codingPath)) is no value that it can have"
    default: "is not valid JSON"
    }
  }

  /// A field's place, as `own.step_s`; of the value itself `the value`.
  private static func path(_ keys: [any CodingKey]) -> String {
    keys.isEmpty
      ? "the value"
      : keys.map { $0.intValue.map(String.init) ?? snakeCase($0.stringValue) }
        .joined(separator: ".")
  }

  /// `stepS` as `step_s`.
  private static func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
  }
}
