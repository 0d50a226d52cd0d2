// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs

/// The runs found in folders, and what could not be read.
package struct RunCollection: Sendable {
  /// The runs, by path.
  package private(set) var runs: [RunRecord] = []
  /// Folders that hold a run that cannot be read, each with the reason.
  package private(set) var problems: [String] = []

  /// How deep below a given folder runs are looked for.
  private static let depth = 3

  /// Looks for runs in folders and the folders in them.
  ///
  /// Symbolic links to folders are not followed, nor are folders with a dot in front; the inside of
  /// a run is not searched.
  ///
  /// - Throws: `UserError(.missingInput)` for a folder that does not exist.
  /// - Complexity: O(files), each log read once.
  package init(_ folders: [String]) throws {
    for folder in folders {
      guard FileManager.default.fileExists(atPath: folder) else {
        throw UserError(
          .missingInput, "\(folder): no such folder",
          remedy: "give a run's folder, or one that holds such folders")
      }
      Self.paths(in: folder).forEach { read($0) }
    }
  }

  /// The runs that have a result.
  package var finished: [RunRecord] { runs.filter { $0.result != nil } }

  /// The folders of runs in a folder and below.
  package static func paths(in folder: String) -> [String] { paths(in: folder, depth: depth) }

  private static func paths(in folder: String, depth: Int) -> [String] {
    if RunFolder.holdsRun(folder) { return [folder] }
    guard depth > 0 else { return [] }
    let names = FileSystem.names(in: folder).filter { !$0.hasPrefix(".") }
    return names.flatMap { name -> [String] in
      let path = "\(folder)/\(name)"
      let type = try? FileManager.default.attributesOfItem(atPath: path)[.type]
      return type as? FileAttributeType == .typeDirectory ? paths(in: path, depth: depth - 1) : []
    }
  }

  private mutating func read(_ folder: String) {
    do {
      runs.append(try RunRecord(folder))
    } catch let error as UserError {
      problems.append(error.problem)
    } catch {
      problems.append("\(folder): \(error.localizedDescription)")
    }
  }
}
