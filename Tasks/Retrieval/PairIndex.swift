// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Synchronization

/// Where the texts of a file of pairs lie, found by reading the file once.
///
///     label<TAB>id<TAB>id<TAB>text<TAB>text
///
/// Of a text the first 10,000 bytes count, as in the original; the rest is not looked at again.
package struct PairIndex: Equatable, Sendable {
  /// The bytes of a text that count.
  package static let longestText = 10_000
  /// No line may be longer, in bytes; the longest genuine ones have some hundred thousand.
  package static let longestLine = 16 << 20
  static let names = ["label", "id1", "id2", "text1", "text2"]

  /// How a file is cut up to be read: the result does not depend on it.
  package struct Cut: Sendable {
    package var part = 64 << 20
    package var block = 4 << 20

    package init() {}
  }

  /// The class of each line.
  package internal(set) var labels: [UInt8] = []
  /// Where each line begins in the file.
  package internal(set) var lines: [Int64] = []
  /// Where each text begins in the file, two for each line.
  package internal(set) var starts: [Int64] = []
  /// The bytes of each text that count, two for each line.
  package internal(set) var lengths: [Int32] = []
  /// A hash of each line's label and of what counts of its texts.
  package internal(set) var hashes: [UInt64] = []
  /// Hashes of the file's bytes, two for each line: from its begin to where the first text no longer
  /// counts, and of what counts of the second; what is read later is held against them.
  package internal(set) var checks: [UInt64] = []

  /// The parts as they were kept; nil when they do not fit together or to a file of that size.
  init?(
    labels: [UInt8], lines: [Int64], starts: [Int64], lengths: [Int32], hashes: [UInt64],
    checks: [UInt64], size: Int
  ) {
    guard !labels.isEmpty, starts.count == 2 * labels.count, lengths.count == starts.count,
      hashes.count == labels.count, lines.count == labels.count,
      checks.count == starts.count, labels.allSatisfy({ $0 <= 1 }),
      lengths.allSatisfy({ 1...Int32(Self.longestText) ~= $0 }),
      zip(starts, lengths).allSatisfy({ $0 >= 0 && $0 <= Int64(size) - Int64($1) }),
      lines.indices.allSatisfy({
        lines[$0] >= 0 && 1...Int64(Self.longestLine) ~= starts[2 * $0] - lines[$0]
      })
    else { return nil }
    (self.labels, self.lines, self.starts) = (labels, lines, starts)
    (self.lengths, self.hashes, self.checks) = (lengths, hashes, checks)
  }

  /// Reads a whole file, on all cores.
  ///
  /// - Throws: `UserError` of kind `badData` that names file and line.
  /// - Complexity: as long as the disk takes; memory for some blocks of the file and the index.
  package init(_ file: RandomAccessFile, cut: Cut = Cut()) throws {
    let count = (file.size + cut.part - 1) / cut.part
    let parts = Mutex([Part?](repeating: nil, count: count))
    concurrently(count) { number in
      let start = number * cut.part
      let part = Part(file, start..<min(file.size, start + cut.part), block: cut.block)
      parts.withLock { $0[number] = part }
    }
    var line = 0
    for part in parts.withLock({ $0 }) {
      guard let part else { continue }
      line += part.lines
      switch part.failure {
      case .none: append(part.index)
      case .fault(let text):
        throw UserError(
          .badData, "\(file.path):\(line): \(text)",
          remedy: "correct or remove the line, or unpack the archive again")
      case .unreadable(let error): throw error
      }
    }
    guard !labels.isEmpty else {
      throw UserError(
        .badData, "\(file.path): the file is empty", remedy: "unpack the archive again")
    }
  }

  fileprivate init() {}

  private mutating func append(_ other: PairIndex) {
    labels += other.labels
    lines += other.lines
    starts += other.starts
    lengths += other.lengths
    hashes += other.hashes
    checks += other.checks
  }

  /// Adds a line.
  ///
  /// - Parameters:
  ///   - start: where it begins in the bytes.
  ///   - bytes: what it is a part of.
  ///   - base: where these begin in the file.
  fileprivate mutating func append(
    _ line: PairLine, start: Int, _ bytes: [UInt8], base: Int
  ) throws(Fault) {
    var hash = PairHash(label: line.label)
    var unchecked = start
    for (field, name) in zip(line.fields, Self.names.dropFirst()).suffix(2) {
      guard !field.isEmpty else { throw Fault(text: "\(name) is empty") }
      let text = field.prefix(Self.longestText)
      starts.append(Int64(base + text.startIndex))
      lengths.append(Int32(text.count))
      hash.add(bytes[text.startIndex..<text.endIndex])
      var check = FNV1a()
      check.add(bytes[unchecked..<text.endIndex])
      checks.append(check.value)
      unchecked = field.upperBound + 1
    }
    lines.append(Int64(base + start))
    labels.append(line.label)
    hashes.append(hash.value)
  }

  fileprivate typealias Fault = PairLine.Fault
}

/// A hash of a label and two texts, fed in this order.
struct PairHash {
  private var hash = FNV1a()

  init(label: UInt8) { hash.add(CollectionOfOne(label)) }

  mutating func add(_ text: ArraySlice<UInt8>) {
    hash.add(UInt64(text.count))
    hash.add(text)
  }

  var value: UInt64 { hash.value }
}

/// The index of the lines that begin in one part of a file.
private struct Part: Sendable {
  enum Failure {
    case none
    case fault(String)
    case unreadable(any Error)
  }

  private(set) var index = PairIndex()
  /// Lines looked at; where there is a fault, it is in the last one.
  private(set) var lines = 0
  private(set) var failure = Failure.none

  init(_ file: RandomAccessFile, _ range: Range<Int>, block: Int) {
    file.prefetch(range)
    do {
      var blocks = try LineBlocks(
        file, part: range, blockSize: block, longestLine: PairIndex.longestLine)
      while let line = try blocks.line() {
        lines += 1
        guard !line.isTooLong else {
          throw PairLine.Fault(
            text: "the line is longer than \(PairIndex.longestLine >> 20) MiB")
        }
        let fields = try PairLine(blocks.buffer, line.range, names: PairIndex.names)
        try index.append(
          fields, start: line.range.lowerBound, blocks.buffer, base: blocks.base)
      }
    } catch let fault as PairLine.Fault {
      failure = .fault(fault.text)
    } catch {
      failure = .unreadable(error)
    }
  }
}
