import Base
import Foundation

/// The first of some folders that holds all of the given files or folders; nil when none holds any.
///
/// - Throws: `UserError` of kind `missingInput` when a folder holds only some of them, or cannot be
///   looked into.
func completeFolder(
  _ folders: [String], holding names: [String], remedy: String
) throws -> String? {
  for folder in try folders.filter(isReadableFolder) {
    let missing = names.filter { !FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    if missing.isEmpty { return folder }
    guard missing.count == names.count else {
      throw UserError(
        .missingInput, "\(folder): \(missing.joined(separator: " and ")) not found",
        remedy: remedy)
    }
  }
  return nil
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

/// Checks that a path, its links followed, lies in a folder, which may be a link itself.
///
/// - Throws: `UserError` of kind `missingInput` for a link to nothing, or `badData` for one that
///   leads elsewhere.
func checkInside(_ folder: String, _ path: String) throws {
  guard let place = realpath(path, nil), let root = realpath(folder, nil) else {
    throw UserError.system(.missingInput, "cannot read \(path)")
  }
  defer {
    free(place)
    free(root)
  }
  guard (String(cString: place) + "/").hasPrefix(String(cString: root) + "/") else {
    throw UserError(
      .badData, "\(path): the link leads out of \(folder)",
      remedy: "put the file itself there; only the whole folder may be a link")
  }
}
