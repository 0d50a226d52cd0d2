// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Files that a process writes and removes or renames itself, unless it is killed.
///
/// Their writer holds a lock on them, which ends with it: what can be locked was abandoned. Where the
/// file system has no locks, nothing is removed.
package enum AbandonedFiles {
  /// Opens an empty file for writing, and holds it for this process and those that inherit it.
  ///
  /// A file that a remover took for abandoned before it was held is made anew.
  ///
  /// - Returns: its descriptor, or a negative number with the reason in `errno`.
  package static func create(_ path: String, mode: mode_t) -> Int32 {
    while true {
      let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode)
      guard descriptor >= 0 else { return descriptor }
      // A remover holds it for a moment only.
      while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {}
      if isAt(path, descriptor) { return descriptor }
      close(descriptor)
    }
  }

  /// Removes the files of a folder whose writers have ended.
  ///
  /// - Parameter isTemporary: whether a name is one of such files.
  package static func remove(in folder: String, where isTemporary: (String) -> Bool) {
    for name in FileSystem.names(in: folder) where isTemporary(name) {
      let path = "\(folder)/\(name)"
      let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, isAt(path, descriptor) { unlink(path) }
      close(descriptor)
    }
  }

  /// Whether a path still names an open file.
  private static func isAt(_ path: String, _ descriptor: Int32) -> Bool {
    var (open, named) = (stat(), stat())
    return fstat(descriptor, &open) == 0 && lstat(path, &named) == 0
      && open.st_ino == named.st_ino && open.st_dev == named.st_dev
  }
}
