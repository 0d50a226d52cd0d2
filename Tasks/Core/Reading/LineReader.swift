// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Reads a file line by line, in blocks, so that memory does not grow with the file; one whose name
/// ends in `.gz` is unpacked on the way.
package final class LineReader {
  /// No line may be longer, in bytes.
  package static let longestLine = 1 << 20
  private static let blockSize = 1 << 20

  package let path: String
  /// The number of the line that `next` gave last, from 1.
  private(set) var number = 0
  private let descriptor: Int32
  private let packed: GzipReader?
  private var buffer: [UInt8] = []
  private var start = 0
  private var atEnd = false

  /// Opens a file.
  ///
  /// - Throws: `UserError` of kind `missingInput`.
  package init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw UserError.system(.missingInput, "cannot read \(path)") }
    packed = path.hasSuffix(".gz") ? try GzipReader(path) : nil
  }

  /// The next line without its end (LF or CR LF), nil after the last.
  ///
  /// - Throws: `UserError` of kind `badData` for a line that is too long.
  package func next() throws -> ArraySlice<UInt8>? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return try line(start..<end)
      }
      if atEnd {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        return try line(start..<buffer.count)
      }
      if buffer.count - start > Self.longestLine { _ = try line(start..<buffer.count) }
      searched = buffer.count - start
      try fill()
    }
  }

  /// An error at the current line.
  package func problem(_ text: String, remedy: String) -> UserError {
    UserError(.badData, "\(path):\(number): \(text)", remedy: remedy)
  }

  private func line(_ range: Range<Int>) throws -> ArraySlice<UInt8> {
    number += 1
    guard range.count <= Self.longestLine else {
      throw problem("the line is longer than 1 MiB", remedy: "check that this is the right file")
    }
    let line = buffer[range]
    return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
  }

  /// Drops what was read and appends a block.
  private func fill() throws {
    buffer.removeSubrange(..<start)
    start = 0
    let block =
      try packed?.read(atMost: Self.blockSize)
      ?? readBlock(descriptor, atMost: Self.blockSize, path)
    atEnd = block.isEmpty
    buffer += block
  }

  deinit { close(descriptor) }
}
