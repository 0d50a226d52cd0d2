// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

@Suite struct PairIndexTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  private func index(_ bytes: [UInt8], part: Int? = nil, block: Int? = nil) throws -> PairIndex {
    let path = try folder.write(bytes, "pairs.tsv")
    var cut = PairIndex.Cut()
    if let part { cut.part = part }
    if let block { cut.block = block }
    return try PairIndex(RandomAccessFile(path), cut: cut)
  }

  /// Lines of very different lengths, a text of more than counts among them.
  private var lines: [[UInt8]] {
    let texts = [1, 3, 70, 2, 11_000, 1, 400, 5]
    return texts.enumerated().map { number, count in
      Array("\(number % 2).0\tP\(number)\tN\(number)\t".utf8)
        + [UInt8](repeating: UInt8(65 + number), count: count) + Array("\ttext \(number)".utf8)
    }
  }

  @Test("Texts are where the index says, cut at 10,000 bytes")
  func places() throws {
    let bytes = Array(lines.joined(separator: [10]))
    let index = try index(bytes)
    #expect(index.labels == [0, 1, 0, 1, 0, 1, 0, 1])
    for (number, line) in lines.enumerated() {
      for (side, text) in line.split(separator: 9)[3...].enumerated() {
        let place = 2 * number + side
        let start = Int(index.starts[place])
        let found = bytes[start..<start + Int(index.lengths[place])]
        #expect(Array(found) == Array(text.prefix(10_000)))
      }
    }
  }

  @Test("How the file is cut up, and a line feed at its end, do not matter")
  func cuts() throws {
    let bytes = Array(lines.joined(separator: [10]))
    let whole = try index(bytes)
    #expect(try index(bytes + [10]) == whole)
    for part in [1, 7, 31, 100, 12_000] {
      for block in [1, 13, 5000] where part > 20 || block > 20 {
        #expect(try index(bytes, part: part, block: block) == whole, "\(part) \(block)")
        #expect(try index(bytes + [10], part: part, block: block) == whole, "\(part) \(block)")
      }
    }
  }

  @Test("The line of a fault is counted from the beginning of the file")
  func faultyLine() throws {
    for faulty in [1, 4, 6, 8] {
      var lines = lines
      lines[faulty - 1] += [9]
      for part in [20, 100, 1 << 20] {
        let error = userError {
          _ = try index(Array(lines.joined(separator: [10])), part: part, block: 64)
        }
        #expect(
          error?.problem.hasPrefix("\(folder.path)/pairs.tsv:\(faulty): the line has 6") == true)
      }
    }
  }

  @Test("Hashes see the label and what counts of the texts, but not the names")
  func hashes() throws {
    let text = String(repeating: "x", count: 10_000)
    let plain = try index(Array("1\ta\tb\t\(text)y\tz".utf8)).hashes
    for same in ["1.0\tc\td\t\(text)y\tz", "1\ta\tb\t\(text)z\tz\r\n"] {
      #expect(try index(Array(same.utf8)).hashes == plain)
    }
    for other in [
      "0\ta\tb\t\(text)y\tz", "1\ta\tb\t\(text)y\tzz", "1\ta\tb\tz\t\(text)",
      "1\ta\tb\tx\(text.dropLast())\tzx",
    ] { #expect(try index(Array(other.utf8)).hashes != plain) }
    let moved = try index(Array("1\ta\tb\txy\tz".utf8)).hashes
    #expect(try index(Array("1\ta\tb\tx\tyz".utf8)).hashes != moved)
  }

  @Test("Changed files end in an index or in an error, never in a crash")
  func fuzz() throws {
    var random = RandomStream(seed: 2, stream: fnv1a("pairs"))
    let bytes = Array("1.0\ta\tb\tc\td\n0.0\te\tf\tg\th\r\n1\ti\tj\tk\tl".utf8)
    var readable = 0
    for round in 0..<300 {
      do {
        let index = try index(mutated(bytes, &random), part: 1 + round % 40, block: 1 + round % 7)
        #expect(index.starts.count == 2 * index.labels.count)
        readable += 1
      } catch {
        let problem = (error as? UserError)?.problem ?? ""
        #expect(problem.hasPrefix("\(folder.path)/pairs.tsv:"), "\(error)")
      }
    }
    #expect(readable > 50 && readable < 250)
  }
}
