// SPDX-License-Identifier: Apache-2.0

import Tasks
import Testing

/// The value of an expression as people write it.
func evaluate(_ text: String) throws -> UInt8 {
  var evaluator = ListOpsEvaluator()
  for word in text.split(separator: " ") {
    let token = try #require(ListOpsToken.texts.firstIndex(of: String(word)))
    try evaluator.take(UInt8(token))
  }
  return try evaluator.value()
}

@Suite struct ListOpsGrammarTests {
  @Test(
    "Operators",
    arguments: [
      ("[MIN 4 3 9 ]", 3), ("[MAX 4 3 9 ]", 9), ("[SM 4 3 9 ]", 6), ("[SM 5 5 ]", 0),
      ("[MED 9 1 5 ]", 5), ("[MED 1 2 ]", 1), ("[MED 1 4 ]", 2), ("[MED 0 9 ]", 4),
      ("[MED 1 5 8 9 ]", 6), ("[MED 1 5 8 9 2 ]", 5), ("[MED 7 7 7 7 ]", 7), ("[MED 9 9 ]", 9),
      ("[MED 3 ]", 3), ("[MIN 0 0 ]", 0), ("[MAX 0 0 ]", 0), ("[MIN 9 9 ]", 9), ("7", 7),
      ("[MAX 4 [MIN 2 3 ] 1 0 [MED 1 5 8 9 2 ] ]", 5),
      ("[SM [SM 9 9 ] [MAX [MIN 1 2 ] 0 ] ]", 9),
    ])
  func values(text: String, value: UInt8) throws {
    #expect(try evaluate(text) == value)
  }

  @Test("The median equals that of sorted arguments")
  func median() {
    for code in 0..<10_000 {
      let digits = [code % 10, code / 10 % 10, code / 100 % 10, code / 1000].map(UInt8.init)
      for count in 1...4 {
        var arguments = ListArguments()
        for digit in digits.prefix(count) { arguments.add(digit) }
        let sorted = digits.prefix(count).sorted()
        let expected = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
        #expect(arguments.value(.median) == expected)
      }
    }
  }

  @Test("More arguments than the generator uses")
  func manyArguments() throws {
    let text = "[SM " + String(repeating: "9 ", count: 70_001) + "]"
    #expect(try evaluate(text) == 9)
  }

  @Test(
    "Malformed expressions",
    arguments: [
      ("]", ListOpsEvaluator.Fault.closedTooOften), ("[MAX ]", .noArguments("[MAX")),
      ("[MAX 1", .notClosed(1)), ("[MAX 1 [MIN", .notClosed(2)), ("", .empty),
      ("1 2", .secondExpression), ("[SM 1 ] ]", .secondExpression),
    ])
  func faults(text: String, fault: ListOpsEvaluator.Fault) {
    #expect(throws: fault) { try evaluate(text) }
  }

  @Test("Token ids never change")
  func vocabulary() {
    #expect(
      ListOpsToken.texts == [
        "<pad>", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "[MIN", "[MAX", "[MED", "[SM",
        "]", "<unk>",
      ])
    #expect(ListOpsToken.texts.count == ListOpsToken.vocabulary)
  }
}
