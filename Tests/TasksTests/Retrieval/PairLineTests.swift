// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

@Suite struct PairLineTests {
  private static let names = ["label", "id1", "id2", "text1", "text2"]

  /// The label and the other fields, or what is wrong.
  private func parse(_ line: [UInt8]) -> Result<[[UInt8]], PairLine.Fault> {
    // Bytes around the line must not matter.
    let bytes = Array("1.0\tx\t".utf8) + line + Array("\tx\t".utf8)
    do throws(PairLine.Fault) {
      let parsed = try PairLine(bytes, 6..<6 + line.count, names: Self.names)
      return .success([[parsed.label]] + parsed.fields.map { Array(bytes[$0]) })
    } catch {
      return .failure(error)
    }
  }

  private func parse(_ text: String) -> [String]? {
    guard case .success(let fields) = parse(Array(text.utf8)) else { return nil }
    return fields.dropFirst().map { String(decoding: $0, as: UTF8.self) }
  }

  private func fault(_ text: String) -> String? {
    guard case .failure(let fault) = parse(Array(text.utf8)) else { return nil }
    return fault.text
  }

  @Test("Fields lie between tabs; quotes are data, and a return at the end is not")
  func fields() {
    #expect(parse("1.0\ta\tb\tc d\te") == ["a", "b", "c d", "e"])
    #expect(parse("0\t\"a\t'b\tb\"c\"\t\"\"") == ["\"a", "'b", "b\"c\"", "\"\""])
    #expect(parse("0\ta\tb\tc\re\tf\r") == ["a", "b", "c\re", "f"])
    #expect(parse("0\t\t\t\t") == ["", "", "", ""])
  }

  @Test("Labels are 0 or 1 as a number")
  func labels() {
    for (text, label) in [
      ("1.0", 1), ("0.0", 0), ("1", 1), ("0", 0), ("1e0", 1), ("-0.0", 0), ("+1.000", 1),
    ] {
      guard case .success(let fields) = parse(Array("\(text)\ta\tb\tc\td".utf8)) else {
        Issue.record("\(text) is refused")
        continue
      }
      #expect(fields[0] == [UInt8(label)], "\(text)")
    }
    for text in ["", "2", "2.0", "0.5", "-1", "nan", "inf", "one", " 1", "1 ", "1.0.0", "label"] {
      let expected = "the label is \(text.debugDescription), neither 0 nor 1"
      #expect(fault("\(text)\ta\tb\tc\td") == expected)
    }
    let long = fault(String(repeating: "9", count: 5000) + "\ta\tb\tc\td")
    #expect(long.map { $0.count < 100 } == true)
  }

  @Test("Other numbers of fields are told")
  func counts() {
    let wanted = "5 with tabs between them: label, id1, id2, text1, text2"
    let begins = { (text: String) in "; it begins \(text.debugDescription)" }
    let four = "1.0\ta\tb\tc"
    #expect(fault(four) == "the line has 4 fields, but should have \(wanted)\(begins(four))")
    let six = "1.0\ta\tb\tc\td\te"
    #expect(fault(six) == "the line has 6 fields, but should have \(wanted)\(begins(six))")
    #expect(fault("") == "the line is empty, but should have \(wanted)")
    #expect(fault("\r") == "the line is empty, but should have \(wanted)")
    let blanks = "1.0 a b c d"
    #expect(fault(blanks) == "the line has no tab, but should have \(wanted)\(begins(blanks))")
    #expect(fault("\u{FEFF}1.0\ta\tb\tc\td") == "the file begins with a byte order mark")
  }

  @Test("NUL and bytes that are no UTF-8 are data")
  func bytes() {
    let line = Array("1.0\ta\tb\t".utf8) + [0, 0xFF, 0xC3, 0x28] + Array("\tx".utf8) + [0x80]
    guard case .success(let fields) = parse(line) else {
      Issue.record("the line is refused")
      return
    }
    #expect(fields[3] == [0, 0xFF, 0xC3, 0x28] && fields[4] == [0x78, 0x80])
  }

  @Test("Random and changed lines are taken apart as a plain reading does, or refused")
  func fuzz() {
    var random = RandomStream(seed: 1, stream: fnv1a("pairs"))
    var readable = 0
    for round in 0..<2000 {
      let line =
        round % 2 == 0
        ? mutated(Array("1.0\tP12-2050\tN06-2015\tb'\\n'\tb\"it's\"".utf8), &random)
        : (0..<random.integer(below: 30)).map { _ in
          random.integer(below: 3) == 0 ? 9 : UInt8(random.integer(below: 256))
        }
      let plain = (line.last == 13 ? line.dropLast() : line[...])
        .split(separator: 9, omittingEmptySubsequences: false).map(Array.init)
      let label = Double(String(decoding: plain[0], as: UTF8.self))
      switch parse(line) {
      case .success(let fields):
        readable += 1
        #expect(plain.count == 5 && Double(fields[0][0]) == label)
        #expect(Array(fields.dropFirst()) == Array(plain.dropFirst()))
      case .failure(let fault):
        #expect(plain.count != 5 || (label != 0 && label != 1))
        #expect(!fault.text.contains("\n"))
      }
    }
    #expect(readable > 300 && readable < 1500)
  }
}
