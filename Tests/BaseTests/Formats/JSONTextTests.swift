// SPDX-License-Identifier: Apache-2.0

import Base
import Testing

@Suite("JSON text")
struct JSONTextTests {
  @Test(
    "Numbers are those of RFC 8259",
    arguments: [
      "0", "-0", "7", "-12", "10", "0.5", "1.25e3", "-1E-2", "2e+05", "9223372036854775808",
    ])
  func numbers(text: String) throws {
    let value = try JSONText.parse(Array(text.utf8)[...])
    switch value {
    case .integer(let number): #expect(Int(text) == number)
    case .number(let number): #expect(Int(text) == nil && Double(text) == number)
    default: Issue.record("\(value) is no number")
    }
  }

  @Test(
    "What only looks like a number is refused",
    arguments: [
      "01", "-01", "00.5", "+1", "--1", "-", ".5", "-.5", "1.", "1.e3", "1e", "1e+", "1e5.0",
      "0x1p3",
      "inf", "nan", "1_000", "1 2", "1e999", "",
    ])
  func refusals(text: String) {
    #expect(throws: JSONText.Failure.self) { try JSONText.parse(Array(text.utf8)[...]) }
  }
}
