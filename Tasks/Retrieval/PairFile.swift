// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The pairs of one of the original's files, `new_aan_pairs.{train,eval,test}.tsv`: the texts stay on
/// the disk, an index of them is in memory.
///
/// Size, time and ends of a file do not tell every change of it, and reading gigabytes again for each
/// run would take as long as making the index. So every text is held against the index's hash when it
/// is read, with its line's label: about 10 µs a text, and no example that was changed is used.
///
/// Source: google-research/long-range-arena @cd31e5c, lra_benchmarks/matching/input_pipeline.py.
struct PairFile: PairSource {
  private let file: RandomAccessFile
  private let kept: String?
  private let index: PairIndex

  /// Opens a file, and takes its index from the one that an earlier run has kept, else makes it.
  ///
  /// - Parameters:
  ///   - kept: where the index is kept; nil for nowhere.
  ///   - report: told what takes time.
  /// - Throws: `UserError` that names file and line.
  init(_ path: String, keptAs kept: String?, _ report: (String) -> Void) throws {
    file = try RandomAccessFile(path)
    self.kept = kept
    guard let kept else {
      index = try PairIndex(file)
      return
    }
    let store = try KeptIndex(path: kept, file: file)
    do {
      if let known = try store.read() {
        index = known
        return
      }
    } catch {
      report("\(error.problem); reading \(path) again")
    }
    report("reading \(path), \((file.size + (1 << 20) - 1) >> 20) MiB")
    index = try PairIndex(file)
    // A folder that cannot be written to costs some seconds the next time, nothing else.
    do {
      try createFolder(parentFolder(of: kept))
      try store.write(index)
    } catch {
      report(error.problem)
    }
  }

  var count: Int { index.labels.count }

  func label(_ pair: Int) -> UInt8 { index.labels[pair] }

  func length(_ pair: Int, _ side: Int) -> Int { Int(index.lengths[2 * pair + side]) }

  func hash(_ pair: Int) -> UInt64 { index.hashes[pair] }

  func text(_ pair: Int, _ side: Int) throws -> [UInt8] {
    let count = length(pair, side)
    let end = Int(index.starts[2 * pair + side]) + count
    let start = side == 0 ? Int(index.lines[pair]) : end - count
    let bytes = try file.read(at: start, count: end - start)
    var check = FNV1a()
    check.add(bytes)
    guard bytes.count == end - start, check.value == index.checks[2 * pair + side] else {
      throw UserError(
        .badData, "\(file.path):\(pair + 1): the line is not what it was when the file was indexed",
        remedy: kept.map {
          "restore the file and go on with --resume, or remove \($0) for a new index"
        }
          ?? "leave the file alone while it is read")
    }
    return Array(bytes.suffix(count))
  }
}

/// An index on the disk: a gzip-compressed safetensors file, whose metadata say of which file, by
/// its size, the time of its last change, and its ends: clocks are coarse, and a file may change twice
/// within a tick.
private struct KeptIndex {
  private static let version = "3"
  /// Bytes at either end that are compared.
  private static let end = 4096

  private let path: String
  private let file: RandomAccessFile
  private let metadata: [String: String]

  init(path: String, file: RandomAccessFile) throws {
    self.path = path
    self.file = file
    var ends = FNV1a()
    ends.add(try file.read(at: 0, count: Self.end))
    ends.add(try file.read(at: max(0, file.size - Self.end), count: Self.end))
    metadata = [
      "version": Self.version, "size": "\(file.size)", "modified": "\(file.modified)",
      "ends": ends.hexadecimal, "text": "\(PairIndex.longestText)",
    ]
  }

  /// The index; nil when there is none.
  ///
  /// - Throws: `UserError` of kind `badData` when it is damaged or one of another file.
  func read() throws -> PairIndex? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    // No line has fewer than eight bytes, nor more than 57 in the index.
    let kept = try SafeTensors(
      Gzip.read(path, limit: (file.size / 8 + 1) * 64 + (1 << 20)), name: path)
    guard metadata.allSatisfy({ kept.metadata[$0.key] == $0.value }),
      let index = PairIndex(
        labels: try kept.bytes("labels"), lines: try kept.integers("lines"),
        starts: try kept.integers("starts"),
        lengths: try kept.integers("lengths").map(Int32.init(truncatingIfNeeded:)),
        hashes: try kept.unsigned("hashes"), checks: try kept.unsigned("checks"), size: file.size)
    else {
      throw UserError(
        .badData, "\(path): the index belongs to another file", remedy: "remove the index")
    }
    return index
  }

  /// Writes the index, at once under its name.
  func write(_ index: PairIndex) throws {
    var kept = SafeTensors()
    kept.metadata = metadata
    kept.add("labels", shape: [index.labels.count], index.labels)
    kept.add("lines", shape: [index.labels.count], index.lines)
    kept.add("starts", shape: [index.labels.count, 2], index.starts)
    kept.add("lengths", shape: [index.labels.count, 2], index.lengths)
    kept.add("hashes", shape: [index.labels.count], index.hashes)
    kept.add("checks", shape: [index.labels.count, 2], index.checks)
    try writeAtomically(Gzip.compress(kept.serialized()), to: path)
  }
}
