// SPDX-License-Identifier: Apache-2.0

import Foundation

/// An open file that is read at any place, by several threads at once.
///
/// Nothing of it is kept: what was read lately the system has in its own memory, which does not count
/// as this process's. It stays the same file when another one gets its name.
package final class RandomAccessFile: Sendable {
  /// The name under which it was opened.
  package let path: String
  /// Its bytes, when it was opened.
  package let size: Int
  /// When it was last changed before it was opened, in nanoseconds since 1970.
  package let modified: Int
  private let descriptor: Int32

  /// Opens a file.
  ///
  /// - Throws: `UserError` of kind `missingInput` with the system's reason, or `badData` for what is
  ///   no file.
  package init(_ path: String) throws {
    // Without waiting: a pipe of that name has perhaps no writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw UserError.system(.missingInput, "cannot read \(path)") }
    var information = stat()
    guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw UserError(.badData, "\(path): this is not a file", remedy: "put the file itself there")
    }
    let time = information.st_mtim
    self.path = path
    self.descriptor = descriptor
    size = Int(information.st_size)
    modified = Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
  }

  /// Some bytes, fewer where the file ends.
  ///
  /// - Parameters:
  ///   - place: bytes from the beginning.
  ///   - count: bytes wanted.
  /// - Throws: `UserError` of kind `missingInput` with the system's reason.
  package func read(at place: Int, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let size = pread(
          descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, place + filled)
        if size < 0 && errno == EINTR { continue }
        if size < 0 { throw UserError.system(.missingInput, "cannot read \(path)") }
        if size == 0 { return }
        filled += size
      }
    }
  }

  /// Lets the system begin to fetch some bytes, which several threads would else do in small pieces.
  package func prefetch(_ range: Range<Int>) {
    posix_fadvise(descriptor, range.lowerBound, range.count, POSIX_FADV_WILLNEED)
  }

  deinit { close(descriptor) }
}

/// The bytes of a whole file of a kind that is never large.
///
/// - Throws: `UserError` of kind `missingInput` with the system's reason, or `badData` for what is no
///   file or has more bytes.
package func readFile(_ path: String, atMost limit: Int) throws -> [UInt8] {
  let file = try RandomAccessFile(path)
  guard file.size <= limit else {
    throw UserError(
      .badData, "\(path): the file has \(file.size) bytes, more than \(limit)",
      remedy: "it is not what its name says; restore it or move it away")
  }
  return try file.read(at: 0, count: file.size)
}

extension [UInt8] {
  /// The first place in a range that holds a byte, nil when none does.
  ///
  /// - Precondition: the range lies in the array.
  /// - Complexity: some tens of bytes in a nanosecond.
  package func firstPlace(of byte: UInt8, in range: Range<Int>) -> Int? {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "firstPlace: \(range)")
    return withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress,
        let found = memchr(start + range.lowerBound, Int32(byte), range.count)
      else { return nil }
      return start.distance(to: UnsafeRawPointer(found))
    }
  }
}
