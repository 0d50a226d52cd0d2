// SPDX-License-Identifier: Apache-2.0

import Base

/// The lines that begin in one part of a file, read in blocks, so that memory does not grow with the
/// file.
package struct LineBlocks {
  /// A line without its line feed.
  package struct Line {
    /// Its place in `buffer`.
    package let range: Range<Int>
    /// Whether it is longer than is allowed; then its end may be missing, and no line follows.
    package let isTooLong: Bool
  }

  /// The bytes that the last line is a part of.
  package private(set) var buffer: [UInt8] = []
  /// Where `buffer` begins in the file.
  package private(set) var base: Int
  private let file: RandomAccessFile
  private let end: Int
  private let blockSize: Int
  private let longestLine: Int
  private var next = 0
  private var atEnd = false

  /// Begins with the first line that begins in a part of the file.
  ///
  /// - Parameters:
  ///   - part: bytes of the file.
  ///   - blockSize: bytes to read at once.
  ///   - longestLine: bytes that a line may have.
  package init(
    _ file: RandomAccessFile, part: Range<Int>, blockSize: Int, longestLine: Int
  ) throws {
    self.file = file
    self.blockSize = blockSize
    self.longestLine = longestLine
    end = part.upperBound
    // A line begins behind a line feed, so the byte before the part decides whether one begins there.
    base = max(0, part.lowerBound - 1)
    if part.lowerBound > 0 { try skipLine() }
  }

  /// The next line, nil after the last that begins in the part.
  package mutating func line() throws -> Line? {
    guard base + next < end else { return nil }
    var searched = next
    while true {
      if let feed = buffer.firstPlace(of: UInt8(ascii: "\n"), in: searched..<buffer.count) {
        return take(until: feed, resumeAt: feed + 1)
      }
      if buffer.count - next > longestLine {
        return take(until: buffer.count, resumeAt: end - base)
      }
      if atEnd { return take(until: buffer.count, resumeAt: end - base) }
      searched = buffer.count - next
      try fill()
    }
  }

  private mutating func take(until upper: Int, resumeAt place: Int) -> Line {
    defer { next = place }
    return Line(range: next..<upper, isTooLong: upper - next > longestLine)
  }

  /// Leaves out the rest of a line that began before the part.
  private mutating func skipLine() throws {
    while base + next < end, !atEnd {
      try fill()
      if let feed = buffer.firstPlace(of: UInt8(ascii: "\n"), in: 0..<buffer.count) {
        next = feed + 1
        return
      }
      next = buffer.count
    }
  }

  /// Drops what was read and appends a block.
  private mutating func fill() throws {
    base += next
    buffer.removeSubrange(..<next)
    next = 0
    let block = try file.read(at: base + buffer.count, count: blockSize)
    atEnd = block.isEmpty
    buffer += block
  }
}
