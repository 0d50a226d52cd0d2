// SPDX-License-Identifier: Apache-2.0

/// A line of a log, with its place.
package struct LogLine {
  /// Counted from 1.
  package let number: Int
  /// Without the line feed.
  package let bytes: ArraySlice<UInt8>
  /// Whether the file ends before the line does: its writer was killed, or is still at it.
  package let isTorn: Bool

  /// No log may be larger, in bytes: it is read whole.
  private static let largestFile = 1 << 30
  /// No line may be longer, in bytes; the longest genuine ones have some thousand.
  private static let longest = 1 << 18

  /// The lines of a file that are not empty.
  ///
  /// - Throws: `UserError` for a file that cannot be read or is no log, by its size.
  package static func all(_ path: String) throws -> [LogLine] {
    let lines = try readFile(path, atMost: largestFile)
      .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.enumerated().filter { !$0.element.isEmpty }.map { place, bytes in
      LogLine(number: place + 1, bytes: bytes, isTorn: place == lines.count - 1)
    }
  }

  /// The bytes of a line that is not longer than a genuine one may be.
  package func checkedBytes() throws(FieldFault) -> ArraySlice<UInt8> {
    guard bytes.count <= Self.longest else {
      throw FieldFault("it has \(bytes.count) bytes, more than \(Self.longest)")
    }
    return bytes
  }
}
