import Base
import Foundation

/// The values of a file that has a line of JSON for each.
struct JSONLines<Value: Decodable> {
  /// The values, in the order of the lines.
  private(set) var values: [Value] = []
  /// Lines that are no value, each with the file and the line's number.
  private(set) var problems: [String] = []

  /// Reads a file; a file that does not exist holds nothing.
  ///
  /// - Parameter name: what a line is, as in `line 2 is no round of make bench-peers`.
  init(_ path: String, of name: String) {
    let data = FileManager.default.contents(atPath: path) ?? Data()
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() where !line.isEmpty {
      do {
        values.append(try SnakeCaseJSON.decoded(Value.self, from: line))
      } catch {
        problems.append("\(path): line \(number + 1) is no \(name)")
      }
    }
  }
}
