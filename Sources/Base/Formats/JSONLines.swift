// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The values of a file that has a line of JSON for each.
package struct JSONLines<Value: CheckedValue> {
  /// The values, in the order of the lines.
  package private(set) var values: [Value] = []
  /// Lines that are no value, each with the file, the line's number and what is wrong.
  package private(set) var problems: [String] = []

  /// Reads a file; a file that does not exist holds nothing.
  ///
  /// - Parameter name: what a line is, as in `line 2 is no round of make bench-peers: …`.
  package init(_ path: String, of name: String) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    do {
      for line in try LogLine.all(path) {
        do throws(FieldFault) {
          values.append(try SnakeCaseJSON.checked(Value.self, from: line.checkedBytes()))
        } catch {
          problems.append("\(path): line \(line.number) is no \(name): \(error.text)")
        }
      }
    } catch {
      problems.append((error as? UserError)?.problem ?? "\(path): \(error.localizedDescription)")
    }
  }
}
