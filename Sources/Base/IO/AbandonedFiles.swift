// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Files that a process writes and removes or renames itself, unless it is killed.
///
/// Their writer holds a lock on them, which ends with it: what can be locked was abandoned. Where the
/// file system has no locks, nothing is removed.
package enum AbandonedFiles {
  /// Marks an open file as being written by this process, and by those that inherit it.
  package static func hold(_ descriptor: Int32) { flock(descriptor, LOCK_EX | LOCK_NB) }

  /// Removes the files of a folder whose writers have ended.
  ///
  /// - Parameter isTemporary: whether a name is one of such files.
  package static func remove(in folder: String, where isTemporary: (String) -> Bool) {
    for name in FileSystem.names(in: folder) where isTemporary(name) {
      let path = "\(folder)/\(name)"
      let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
      close(descriptor)
    }
  }
}
