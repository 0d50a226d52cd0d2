import Foundation

/// JSON as the project's files and results have it: names such as `peak_resident_bytes`, keys sorted.
public enum SnakeCaseJSON {
  /// A value as JSON.
  ///
  /// - Parameter oneLine: whether it is one line of a log, or laid out for people.
  public static func encoded(_ value: some Encodable, oneLine: Bool = false) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if !oneLine { encoder.outputFormatting.insert(.prettyPrinted) }
    return Array(try encoder.encode(value))
  }

  /// A value read back.
  ///
  /// - Throws: `DecodingError`.
  public static func decoded<Value: Decodable>(
    _ type: Value.Type, from bytes: some Sequence<UInt8>
  ) throws -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(bytes))
  }
}
