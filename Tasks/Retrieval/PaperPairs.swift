// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Pairs that a file gives by the papers' names, `id_pairs.{train,eval,test}.tsv`, with each paper in a
/// file of its own, `papers_text/<name>.txt`.
///
/// What counts of the papers is kept in memory, 10,000 bytes each at most, once for each paper.
struct PaperPairs: PairSource {
  static let papers = "papers_text"
  private static let names = ["label", "id1", "id2"]

  private var labels: [UInt8] = []
  /// The paper of each text, two for each pair.
  private var numbers: [Int] = []
  private var texts: [[UInt8]] = []

  /// Reads a file and all papers that it names.
  ///
  /// - Throws: `UserError` that names file and line, or the paper.
  init(_ path: String, papersIn folder: String) throws {
    let reader = try LineReader(path)
    var known: [String: Int] = [:]
    while let line = try reader.next() {
      let bytes = Array(line)
      do {
        let fields = try PairLine(bytes, bytes.indices, names: Self.names)
        labels.append(fields.label)
        for field in fields.fields {
          let name = String(decoding: bytes[field], as: UTF8.self)
          let number = try known[name] ?? read(name, folder, reader)
          known[name] = number
          numbers.append(number)
        }
      } catch let fault as PairLine.Fault {
        throw reader.problem(fault.text, remedy: "correct or remove the line")
      }
    }
    guard !labels.isEmpty else {
      throw UserError(.badData, "\(path): the file is empty", remedy: "unpack the archive again")
    }
  }

  /// Reads a paper and gives it the next number.
  private mutating func read(
    _ name: String, _ folder: String, _ reader: LineReader
  ) throws -> Int {
    let path = "\(folder)/\(Self.papers)/\(name).txt"
    guard !name.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 }),
      FileManager.default.fileExists(atPath: path)
    else {
      throw reader.problem(
        "there is no \(Self.papers)/\(name).txt",
        remedy: "put the paper's text there, or remove the line")
    }
    let text = try RandomAccessFile(path).read(at: 0, count: PairIndex.longestText)
    guard !text.isEmpty else {
      throw UserError(
        .badData, "\(path): the paper is empty", remedy: "unpack the archive again")
    }
    texts.append(text)
    return texts.count - 1
  }

  var count: Int { labels.count }

  func label(_ pair: Int) -> UInt8 { labels[pair] }

  func text(_ pair: Int, _ side: Int) -> [UInt8] { texts[numbers[2 * pair + side]] }

  func length(_ pair: Int, _ side: Int) -> Int { text(pair, side).count }

  func hash(_ pair: Int) -> UInt64 {
    var hash = PairHash(label: labels[pair])
    for side in 0..<2 { hash.add(text(pair, side)[...]) }
    return hash.value
  }
}
