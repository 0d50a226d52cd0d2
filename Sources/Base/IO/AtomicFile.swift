// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A file that appears under its name only when it is complete.
///
/// Bytes go to `<name>.tmp-<process>` in the same folder; `commit` flushes them to the disk and
/// renames. A crash or an error leaves the earlier file as it was, and what a killed process left is
/// removed by the next writer of the file. Not for use by two threads.
package final class AtomicFile {
  private let path: String
  private let temporary: String
  private var descriptor: Int32

  /// Opens the temporary file.
  ///
  /// - Parameter mode: the permissions of the file; nil for what is usual.
  /// - Throws: `UserError` of kind `cannotWrite` with the system's reason.
  package init(_ path: String, mode: mode_t? = nil) throws {
    self.path = path
    temporary = "\(path).tmp-\(getpid())"
    Self.removeAbandoned(path)
    descriptor = AbandonedFiles.create(temporary, mode: 0o666)
    if descriptor < 0 { throw UserError.system(.cannotWrite, "cannot write \(path)") }
    // Where the file system knows no permissions, the file gets what there is.
    if let mode { _ = fchmod(descriptor, mode) }
  }

  private static func removeAbandoned(_ path: String) {
    let stem = "\((path as NSString).lastPathComponent).tmp-"
    AbandonedFiles.remove(in: parentFolder(of: path)) {
      $0.hasPrefix(stem) && $0.dropFirst(stem.count).allSatisfy(\.isNumber)
    }
  }

  /// Appends bytes.
  package func write(_ bytes: some ContiguousBytes) throws {
    try writeAll(bytes, to: descriptor, path: path)
  }

  /// Makes the file permanent under its name; nothing may be written afterwards.
  package func commit() throws {
    // Renamed while it is held: once it is closed, another writer may take it for abandoned.
    if fsync(descriptor) != 0 || rename(temporary, path) != 0 {
      throw UserError.system(.cannotWrite, "cannot write \(path)")
    }
    close(descriptor)
    descriptor = -1
    // The folder's entry too, where the file system allows it.
    try? FileSystem.synchronize(parentFolder(of: path))
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }
}

/// Writes a whole file so that readers see either the old bytes or all of the new ones.
///
/// - Throws: `UserError` of kind `cannotWrite`, naming the file and the system's reason.
package func writeAtomically(_ bytes: some ContiguousBytes, to path: String) throws {
  let file = try AtomicFile(path)
  try file.write(bytes)
  try file.commit()
}
