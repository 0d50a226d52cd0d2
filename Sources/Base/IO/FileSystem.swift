// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The file operations of a run folder that Foundation lacks or hides.
///
/// Links are replaced in one step, and data forced to the disk. All throw `UserError(.cannotWrite)`
/// with the system's reason.
package enum FileSystem {
  /// Makes a folder whose parent exists.
  ///
  /// - Returns: false when something of that name is there already.
  package static func makeNewFolder(_ path: String) throws -> Bool {
    if mkdir(path, 0o777) == 0 { return true }
    if errno == EEXIST { return false }
    throw UserError.system(.cannotWrite, "cannot create the folder \(path)")
  }

  /// Points the symbolic link `link` at `target`, replacing an older link in one step.
  package static func replaceLink(_ link: String, target: String) throws {
    let temporary = "\(link).tmp-\(getpid())"
    unlink(temporary)
    if symlink(target, temporary) != 0 {
      throw UserError.system(.cannotWrite, "cannot write \(link)")
    }
    try move(temporary, to: link)
  }

  /// Renames a file or folder, replacing a file or an empty folder.
  package static func move(_ old: String, to new: String) throws {
    if rename(old, new) != 0 { throw UserError.system(.cannotWrite, "cannot write \(new)") }
  }

  /// Waits until the file or folder is on the disk; for a folder, its list of names.
  package static func synchronize(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw UserError.system(.cannotWrite, "cannot write \(path)") }
    defer { close(descriptor) }
    // Some file systems cannot synchronise folders and say EINVAL.
    if fsync(descriptor) != 0 && errno != EINVAL {
      throw UserError.system(.cannotWrite, "cannot write \(path)")
    }
  }

  /// The names in a folder, sorted; none when it does not exist.
  package static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// What lies under a name that should be a symbolic link's.
  package enum Link: Equatable {
    case absent
    /// A link, and what it points at, as written in it.
    case to(String)
    /// A file or a folder, as in a copy that was made by following links.
    case notALink
  }

  /// Reads a symbolic link.
  ///
  /// - Throws: `UserError(.missingInput)` when the disk does not say what is there.
  package static func link(_ path: String) throws -> Link {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &bytes, bytes.count)
    if count >= 0 { return .to(String(decoding: bytes[..<count], as: UTF8.self)) }
    switch errno {
    case ENOENT, ENOTDIR: return .absent
    case EINVAL: return .notALink
    default: throw UserError.system(.missingInput, "cannot read the link \(path)")
    }
  }

  /// Whether there is such a folder, or a link to one.
  package static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether there is certainly nothing of that name; false where the disk fails to say.
  package static func isMissing(_ path: String) -> Bool {
    access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)
  }

  /// What tells a file or folder from every other on this machine, whatever its name.
  package struct Identity: Equatable {
    let device: UInt64
    let number: UInt64

    /// That of what has this name now; nil when it cannot be found.
    package init?(_ path: String) {
      var information = stat()
      guard stat(path, &information) == 0 else { return nil }
      device = UInt64(information.st_dev)
      number = UInt64(information.st_ino)
    }
  }

  /// Removes a file or a whole folder, if it is there; a failure only leaves rubbish behind.
  package static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
