// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs

/// The runs found in folders and in files of runs, and what could not be read.
package struct RunCollection: Sendable {
  /// The runs, by path.
  package private(set) var runs: [RunRecord] = []
  /// Folders and lines that hold a run that cannot be read, each with the reason.
  package private(set) var problems: [String] = []

  /// How deep below a given folder runs are looked for.
  private static let depth = 3

  /// Looks for runs in folders and the folders in them, and in files such as `runs.jsonl`, which need
  /// not be named where they lie in the folders.
  ///
  /// Symbolic links to folders are not followed, nor are folders with a dot in front; the inside of
  /// a run is not searched.
  ///
  /// - Throws: `UserError(.missingInput)` for a folder that does not exist.
  /// - Complexity: O(files), each log read once.
  package init(_ folders: [String]) throws {
    for folder in folders {
      if let (file, name) = RunFile.parts(of: folder) {
        let runs = try RunFile(file)
        try add(runs.entry(name), of: runs)
        continue
      }
      guard FileSystem.exists(folder) else {
        throw UserError(
          .missingInput, "\(folder): no such folder",
          remedy: "give a run's folder, or one that holds such folders or a \(RunFile.name)")
      }
      Self.places(in: folder, depth: Self.depth).forEach { read($0) }
    }
  }

  /// The runs that have a result.
  package var finished: [RunRecord] { runs.filter { $0.result != nil } }

  /// The folders of runs in a folder and below.
  package static func paths(in folder: String) -> [String] {
    places(in: folder, depth: depth).filter(FileSystem.isFolder)
  }

  /// A folder and those below it in which runs are looked for and that are none themselves.
  static func containers(in folder: String) -> [String] { containers(in: folder, depth: depth) }

  private static func containers(in folder: String, depth: Int) -> [String] {
    guard depth > 0, !RunFolder.holdsRun(folder) else { return [] }
    return [folder]
      + inner(folder).filter(\.isFolder).flatMap { containers(in: $0.path, depth: depth - 1) }
  }

  /// The folders of runs, and the files of runs, at a place and below.
  private static func places(in place: String, depth: Int) -> [String] {
    if !FileSystem.isFolder(place) || RunFolder.holdsRun(place) { return [place] }
    guard depth > 0 else { return [] }
    return inner(place).flatMap { places(in: $0.path, depth: depth - 1) }
  }

  /// The folders and the files of runs right in a folder; links and what a dot hides are left out.
  private static func inner(_ folder: String) -> [(path: String, isFolder: Bool)] {
    FileSystem.names(in: folder).filter { !$0.hasPrefix(".") }.compactMap { name in
      let path = "\(folder)/\(name)"
      let type = try? FileManager.default.attributesOfItem(atPath: path)[.type]
      let isFolder = type as? FileAttributeType == .typeDirectory
      return isFolder || name == RunFile.name ? (path, isFolder) : nil
    }
  }

  private mutating func read(_ place: String) {
    do {
      if FileSystem.isFolder(place) { return runs.append(try RunRecord(place)) }
      let file = try RunFile(place)
      problems += file.problems
      for entry in file.entries { try add(entry, of: file) }
    } catch let error as UserError {
      problems.append(error.problem)
    } catch {
      problems.append("\(place): \(error.localizedDescription)")
    }
  }

  private mutating func add(_ entry: RunFile.Entry, of file: RunFile) throws {
    runs.append(try RunRecord(entry, of: file))
  }
}
