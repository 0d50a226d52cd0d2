// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Files of a user's own, sorted into a folder for each class that has the class's name or number.
struct ClassFolders {
  /// One file with its class.
  struct File {
    let path: String
    let label: UInt8
  }

  /// No file may be larger, in bytes.
  private static let largest = 16 << 20

  /// By class, then by name; hidden files do not count.
  let files: [File]

  /// Lists the folders.
  ///
  /// - Parameters:
  ///   - classNames: what the classes are called.
  ///   - otherNames: what else their folders may be called, by name.
  ///   - ending: of every file, as `.txt`.
  /// - Throws: `UserError` that names a folder that is no class's or a file that is none of these.
  init(
    _ path: String, classNames: [String], otherNames: [String: Int] = [:], ending: String
  ) throws {
    var labels = otherNames
    for (label, name) in classNames.enumerated() {
      (labels[name], labels["\(label)"]) = (label, label)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    let folders = names.filter { !$0.hasPrefix(".") }.sorted()
    let wanted =
      "a folder for each class, \(classNames.joined(separator: ", ")), with \(ending) files"
    let found = try folders.map { name in
      guard let label = labels[name], FileSystem.isFolder("\(path)/\(name)") else {
        throw UserError(
          .badData, "\(path)/\(name): this is no folder of a class",
          remedy: "let \(path) hold \(wanted), and nothing else")
      }
      return (label: label, path: "\(path)/\(name)")
    }
    files = try found.sorted { ($0.label, $0.path) < ($1.label, $1.path) }.flatMap { folder in
      try Self.files(in: folder.path, ending).map { File(path: $0, label: UInt8(folder.label)) }
    }
    guard !files.isEmpty else {
      throw UserError(
        .badData, "\(path): there are no \(ending) files in it", remedy: "let it hold \(wanted)")
    }
  }

  private static func files(in folder: String, _ ending: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }
      .sorted().map { name in
        let path = "\(folder)/\(name)"
        var information = stat()
        guard stat(path, &information) == 0 else {
          throw UserError.system(.missingInput, "cannot read \(path)")
        }
        guard name.lowercased().hasSuffix(ending), information.st_mode & S_IFMT == S_IFREG,
          information.st_size <= largest
        else {
          throw UserError(
            .badData, "\(path): this is no \(ending) file of at most 16 MiB",
            remedy: "move it away, or save it as one")
        }
        return path
      }
  }
}
