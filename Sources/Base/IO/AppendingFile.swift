// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A file that only grows, each piece written with one `write` so that lines of a log stay whole.
package final class AppendingFile {
  package let path: String
  private let descriptor: Int32

  /// Opens `path` for appending, making it when absent.
  ///
  /// - Throws: `UserError(.cannotWrite)`.
  package init(path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw UserError.system(.cannotWrite, "cannot write \(path)") }
  }

  /// Opens a file of lines for appending, and ends a last line that lacks its end.
  ///
  /// A process that was killed while it wrote, or an editor, leaves such a line; the next one would be
  /// glued to it, and both lost.
  ///
  /// - Throws: `UserError(.cannotWrite)`.
  package convenience init(linesAt path: String) throws {
    try self.init(path: path)
    if endsWithinLine { try append([UInt8(ascii: "\n")]) }
  }

  private var endsWithinLine: Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    guard let size = try? file.seekToEnd(), size > 0 else { return false }
    try? file.seek(toOffset: size - 1)
    return (try? file.read(upToCount: 1))?.last != UInt8(ascii: "\n")
  }

  /// Waits until everything is on the disk.
  ///
  /// - Returns: the size of the file, bytes.
  /// - Throws: `UserError(.cannotWrite)`.
  package func synchronize() throws -> Int {
    var information = stat()
    // What is no file, such as a device, cannot be synchronised and says EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL, fstat(descriptor, &information) == 0 else {
      throw UserError.system(.cannotWrite, "cannot write \(path)")
    }
    return Int(information.st_size)
  }

  deinit { close(descriptor) }

  package func append(_ bytes: [UInt8]) throws {
    try writeAll(bytes, to: descriptor, path: path)
  }
}
