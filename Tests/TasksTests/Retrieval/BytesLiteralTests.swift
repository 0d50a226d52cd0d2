// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

@Suite struct BytesLiteralTests {
  private func meaning(_ text: String) -> [UInt8] { bytesOfLiteral(Array(text.utf8)) }

  @Test(
    "Literals are undone, other text is not touched",
    arguments: [
      (#"b'abc'"#, "abc"), (#"b"it's""#, "it's"), (#"b'say \'a\' or "b"'"#, #"say 'a' or "b""#),
      (#"b'a\n\t\r\\n'"#, "a\n\t\r\\n"), (#"b'\xc3\xa9\xE2\x80\x9c'"#, "é“"),
      (#"b'a' and more"#, "a"), (#"b'\q\xzz\x+f'"#, #"\q\xzz\x+f"#), ("b''", " "), ("b'", " "),
      ("'abc'", "'abc'"), ("banana", "banana"), ("b", "b"), ("B'a'", "B'a'"), ("", ""),
    ])
  func examples(text: String, expected: String) {
    #expect(meaning(text) == Array(expected.utf8))
  }

  @Test("A literal may be cut off anywhere")
  func cut() {
    let whole = #"b'a\xc3\xa9\n'"#
    let expected = [
      "", "b", " ", "a", "a", "a", "a", "a\u{C3}", "a\u{C3}", "a\u{C3}", "a\u{C3}", "aé", "aé",
      "aé\n", "aé\n",
    ]
    for (count, text) in expected.enumerated() {
      let bytes = text.unicodeScalars.flatMap { $0.value == 0xC3 ? [0xC3] : Array("\($0)".utf8) }
      #expect(meaning(String(whole.prefix(count))) == bytes, "\(count)")
    }
  }

  @Test("Every string of bytes comes back from its literal")
  func roundTrip() {
    var random = RandomStream(seed: 3, stream: fnv1a("literals"))
    for _ in 0..<500 {
      let bytes = (0...random.integer(below: 40)).map { _ in UInt8(random.integer(below: 256)) }
      let literal = bytes.reduce(into: "b'") { text, byte in
        switch byte {
        case 0x09: text += "\\t"
        case 0x0A: text += "\\n"
        case 0x0D: text += "\\r"
        case 0x27, 0x5C: text += "\\" + String(UnicodeScalar(byte))
        case 0x20..<0x7F: text += String(UnicodeScalar(byte))
        default: text += "\\x" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }
      }
      #expect(meaning(literal + "'") == bytes)
    }
  }
}
