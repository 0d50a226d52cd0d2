// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Finished runs in one file, a line of JSON each, `runs.jsonl`.
///
/// A single one is named by the file and its name: `docs/results/runs.jsonl#listops-s4d-small-s0`.
package struct RunFile {
  /// How such a file is called in a folder of runs.
  package static let name = "runs.jsonl"

  /// One run and the number of its line, counted from 1.
  package typealias Entry = (line: Int, run: PublishedRun)

  /// The file.
  package let path: String
  /// The runs, in the order of the lines.
  package private(set) var entries: [Entry] = []
  /// Lines that are no run, each with the file, the line's number and what is wrong.
  package private(set) var problems: [String] = []

  /// Reads a file.
  ///
  /// - Throws: `UserError` for a file that cannot be read.
  package init(_ path: String) throws {
    self.path = path
    var names: Set<String> = []
    for line in try LogLine.all(path) {
      do throws(FieldFault) {
        let run = try SnakeCaseJSON.checked(PublishedRun.self, from: line.checkedBytes())
        guard names.insert(run.name).inserted else {
          throw FieldFault("there is another \(run.name) above")
        }
        entries.append((line.number, run))
      } catch {
        problems.append("\(place(line.number)) is no run: \(error.text)")
      }
    }
  }

  /// A line as messages name it.
  package func place(_ line: Int) -> String { "\(path): line \(line)" }

  /// The run of a name.
  ///
  /// - Throws: `UserError(.missingInput)` when there is none.
  package func entry(_ name: String) throws -> Entry {
    if let found = entries.first(where: { $0.run.name == name }) { return found }
    let near = nearestNames(to: name, among: entries.map(\.run.name))
    throw UserError(
      .missingInput,
      "\(path): there is no run \(name)" + (problems.first.map { "; \($0)" } ?? ""),
      remedy: near.isEmpty ? "check the name after #" : "did you mean \(near[0])?")
  }

  /// The file and the run's name that a text such as `runs.jsonl#NAME` names; nil for any other.
  package static func parts(of place: String) -> (file: String, name: String)? {
    guard let mark = place.lastIndex(of: "#") else { return nil }
    let file = String(place[..<mark])
    guard FileSystem.exists(file), !FileSystem.isFolder(file) else { return nil }
    return (file, String(place[place.index(after: mark)...]))
  }

  /// Adds a run to a file, in the place of one with the same name; the other lines stay as they are.
  ///
  /// The runs are kept in the order of their names. Of processes that do so at once, one waits.
  ///
  /// - Throws: `UserError` when the file holds a line that is no run, or cannot be written.
  package static func add(_ run: PublishedRun, to path: String) throws {
    let lock = try FileLock(waitingFor: "\(path).lock") { _ in }
    defer { withExtendedLifetime(lock) {} }
    var lines: [(name: String, bytes: [UInt8])] = []
    if FileSystem.exists(path) {
      let file = try RunFile(path)
      if let problem = file.problems.first {
        throw UserError(.badData, problem, remedy: "mend or remove the line")
      }
      lines = zip(file.entries, try LogLine.all(path)).map { ($0.run.name, Array($1.bytes)) }
    }
    lines.removeAll { $0.name == run.name }
    lines.append((run.name, try run.line()))
    let sorted = lines.sorted { $0.name < $1.name }
    try writeAtomically(sorted.flatMap { $0.bytes + [UInt8(ascii: "\n")] }, to: path)
  }
}
