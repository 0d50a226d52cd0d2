// SPDX-License-Identifier: Apache-2.0

import Base
import Testing

@Suite("Texts for terminals")
struct PrintableTests {
  @Test(
    "What would steer a terminal becomes its number, all else stays",
    arguments: [
      ("plain ä 😀 text\twith\nlines", "plain ä 😀 text\twith\nlines"),
      ("\u{1B}[2Jgone", "\\u001B[2Jgone"), ("a\rb\u{7F}", "a\\u000Db\\u007F"),
      ("\u{9B}31m", "\\u009B31m"), ("\u{202E}txt.exe", "\\u202Etxt.exe"), ("", ""),
    ])
  func printed(text: String, expected: String) {
    #expect(printable(text) == expected)
  }
}
