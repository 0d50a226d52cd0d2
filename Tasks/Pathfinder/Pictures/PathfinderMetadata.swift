// SPDX-License-Identifier: Apache-2.0

import Base

/// The table of one batch of pictures: `metadata/<batch>.npy`, eleven fields a row.
///
///     imgs/3 sample_0.png 0 1 1.0 14 4 2 0.5 1 1
///
/// Folder, file, number, label, continuity, contour length, distractor length, paddle length, paddle
/// thickness, margin, number of contrasts; the first two and the label are used. In the release the
/// files are text, in spite of their name; the generator itself saves a NumPy array of strings. Both
/// are read.
///
/// Source: google-research/long-range-arena @cd31e5c, lra_benchmarks/data/pathfinder.py;
/// drewlinsley/pathfinder @ab9c130, snakes2.py.
package enum PathfinderMetadata {
  /// What a picture's row says.
  package struct Row: Equatable {
    /// Within the level's folder, as `imgs/3`.
    package let folder: String
    package let file: String
    package let label: UInt8
  }

  package static let fields = 11

  /// All rows of a file.
  ///
  /// - Throws: `UserError` of kind `badData` with file and row.
  package static func rows(_ path: String) throws -> [Row] { try rows(readFile(path), path) }

  /// All rows among bytes that came from a file.
  package static func rows(_ bytes: [UInt8], _ path: String) throws -> [Row] {
    let table =
      bytes.starts(with: NumPyStrings.magic)
      ? try NumPyStrings.rows(bytes, path, columns: fields) : try textRows(bytes, path)
    guard !table.isEmpty else {
      throw UserError(
        .badData, "\(path): there are no rows in the file", remedy: PathfinderFolder.remedy)
    }
    return try table.enumerated().map { number, fields in
      do throws(Fault) { return try row(fields) } catch {
        throw UserError(
          .badData, "\(path):\(number + 1): \(error.text)", remedy: PathfinderFolder.remedy)
      }
    }
  }

  /// What is wrong with a row.
  private struct Fault: Error {
    let text: String
  }

  private static func textRows(_ bytes: [UInt8], _ path: String) throws -> [[String]] {
    guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
      throw UserError(
        .badData,
        "\(path): "
          + (foreignEncoding(bytes) ?? "this is neither text nor a NumPy array"),
        remedy: PathfinderFolder.remedy)
    }
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { line in
      line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
        .map { String(decoding: $0, as: UTF8.self) }
    }
  }

  private static func row(_ fields: [String]) throws(Fault) -> Row {
    guard fields.count == Self.fields else {
      throw Fault(text: "the row has \(fields.count) fields, not \(Self.fields)")
    }
    let (folder, file) = (fields[0], fields[1])
    guard folder.hasPrefix("imgs/"), isNumber(folder.dropFirst(5)) else {
      throw Fault(text: "the folder \(shown(folder)) is not imgs/<number>")
    }
    guard file.hasPrefix("sample_"), file.hasSuffix(".png"), file.utf8.count > 11,
      isNumber(file.dropFirst(7).dropLast(4))
    else { throw Fault(text: "the file \(shown(file)) is not sample_<number>.png") }
    guard fields[3] == "0" || fields[3] == "1" else {
      throw Fault(text: "the label \(shown(fields[3])) is not 0 or 1")
    }
    return Row(folder: folder, file: file, label: fields[3] == "1" ? 1 : 0)
  }

  /// Up to nine digits.
  static func isNumber(_ text: some StringProtocol) -> Bool {
    (1...9).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func shown(_ text: String) -> String {
    String(text.prefix(20)).debugDescription + (text.count > 20 ? "…" : "")
  }
}
