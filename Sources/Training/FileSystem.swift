import Base
import Foundation

/// The file operations of a run folder that Foundation lacks or hides.
///
/// Links are replaced in one step, and data forced to the disk. All throw `UserError(.cannotWrite)` with the system's reason.
package enum FileSystem {
  /// Makes a folder and those above it.
  package static func makeFolder(_ path: String) throws {
    if mkdir(path, 0o777) == 0 { return }
    let parent = parentFolder(of: path)
    if errno == ENOENT && parent != path {
      try makeFolder(parent)
      if mkdir(path, 0o777) == 0 { return }
    }
    var isFolder: ObjCBool = false
    let reason = errno
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      return
    }
    errno = reason
    throw UserError.system(.cannotWrite, "cannot make the folder \(path)")
  }

  /// Points the symbolic link `link` at `target`, replacing an older link in one step.
  static func replaceLink(_ link: String, target: String) throws {
    let temporary = "\(link).tmp-\(getpid())"
    unlink(temporary)
    if symlink(target, temporary) != 0 {
      throw UserError.system(.cannotWrite, "cannot write \(link)")
    }
    try move(temporary, to: link)
  }

  /// Renames a file or folder, replacing a file or an empty folder.
  static func move(_ old: String, to new: String) throws {
    if rename(old, new) != 0 { throw UserError.system(.cannotWrite, "cannot write \(new)") }
  }

  /// Waits until the file or folder is on the disk; for a folder, its list of names.
  static func synchronize(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw UserError.system(.cannotWrite, "cannot write \(path)") }
    defer { close(descriptor) }
    // Some file systems cannot synchronise folders and say EINVAL.
    if fsync(descriptor) != 0 && errno != EINVAL {
      throw UserError.system(.cannotWrite, "cannot write \(path)")
    }
  }

  /// The names in a folder, sorted; none when it does not exist.
  static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// What a symbolic link points at, as written in it.
  package static func target(ofLink link: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: link)
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Removes a file or a whole folder, if it is there; a failure only leaves rubbish behind.
  package static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
