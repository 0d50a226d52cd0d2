// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The folder that holds a task's files as somebody else published them, wherever it was unpacked.
struct SourceFolder {
  /// The usual places, the one to prefer first.
  let places: [String]
  /// Where else to look, up to three levels down; nil for nowhere.
  let root: String?
  /// The files or folders that make it complete.
  let names: [String]
  /// Endings that a name may have, such as `.gz`.
  var endings = [""]
  /// What to do about a folder that holds only some of the names.
  let remedy: String

  /// The first usual place that is complete, else the one complete folder below the root; nil when no
  /// folder holds any of the names.
  ///
  /// - Throws: `UserError` of kind `missingInput` for a folder that holds only some of the names or
  ///   cannot be looked into, or when several below the root are complete.
  func find() throws -> String? {
    let usual = try places.filter(isReadableFolder)
    if let found = usual.first(where: isComplete) { return found }
    let below = root.map { subfolders(of: $0, levels: 3) } ?? []
    let complete = below.filter(isComplete)
    guard complete.count <= 1 else {
      throw UserError(
        .missingInput,
        "\(complete.joined(separator: " and ")) all hold \(names.joined(separator: ", "))",
        remedy: "keep one of them there")
    }
    if let found = complete.first { return found }
    if let folder = (usual + below).first(where: { missing(in: $0).count < names.count }) {
      throw UserError(
        .missingInput, "\(folder): \(missing(in: folder).joined(separator: " and ")) not found",
        remedy: remedy)
    }
    return nil
  }

  /// The path of a name in a folder, with the ending that it has there.
  func path(_ name: String, in folder: String) -> String {
    let paths = endings.map { "\(folder)/\(name)\($0)" }
    return paths.first(where: FileManager.default.fileExists) ?? "\(folder)/\(name)"
  }

  private func isComplete(_ folder: String) -> Bool { missing(in: folder).isEmpty }

  private func missing(in folder: String) -> [String] {
    names.filter { !FileManager.default.fileExists(atPath: path($0, in: folder)) }
  }
}

/// A folder and those below it, each before its own, by name; hidden ones do not count.
func subfolders(of folder: String, levels: Int) -> [String] {
  guard FileSystem.isFolder(folder) else { return [] }
  guard levels > 0 else { return [folder] }
  return [folder]
    + FileSystem.names(in: folder).filter { !$0.hasPrefix(".") }
    .flatMap { subfolders(of: "\(folder)/\($0)", levels: levels - 1) }
}

/// Whether there is such a folder.
private func isReadableFolder(_ path: String) throws -> Bool {
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  if descriptor < 0, errno == ENOENT || errno == ENOTDIR { return false }
  guard descriptor >= 0, access(path, X_OK) == 0 else {
    let error = UserError.system(.missingInput, "cannot read the folder \(path)")
    if descriptor >= 0 { close(descriptor) }
    throw error
  }
  close(descriptor)
  return true
}
