// SPDX-License-Identifier: Apache-2.0

import Base

/// Reads one line of the original's files: tokens, label, and whether the two agree.
struct ListOpsLineParser {
  /// What is wrong with a line.
  struct Fault: Error {
    let text: String
  }

  /// The tokens of the line that was parsed last.
  private(set) var tokens: [UInt8] = []
  private var evaluator = ListOpsEvaluator()
  private var brackets = RoundBrackets()

  /// Parses a line without its end; returns the label.
  mutating func parse(_ line: ArraySlice<UInt8>) throws(Fault) -> UInt8 {
    tokens.removeAll(keepingCapacity: true)
    evaluator.reset()
    brackets = RoundBrackets()
    guard let tab = line.firstIndex(of: UInt8(ascii: "\t")) else {
      try checkText(line)
      throw Fault(text: "there is no tab between expression and label")
    }
    try parseExpression(line[..<tab])
    let label = try parseLabel(line[(tab + 1)...])
    let value: UInt8
    do { value = try evaluator.value() } catch { throw Fault(text: error.text) }
    if let fault = brackets.fault { throw Fault(text: fault) }
    guard value == label else {
      throw Fault(text: "the label is \(label), but the expression's value is \(value)")
    }
    return label
  }

  private mutating func parseExpression(_ text: ArraySlice<UInt8>) throws(Fault) {
    var place = text.startIndex
    while place < text.endIndex {
      if Self.isSeparator(text[place]) {
        brackets.take(text[place])
        place += 1
        continue
      }
      var (end, word) = (place, UInt64(0))
      while end < text.endIndex && !Self.isSeparator(text[end]) {
        word = word << 8 | UInt64(text[end])
        end += 1
      }
      guard end - place <= 4, let token = Self.token(word) else {
        throw try unknown(text[place..<end])
      }
      do { try evaluator.take(token) } catch { throw Fault(text: error.text) }
      brackets.take(token: token)
      tokens.append(token)
      place = end
    }
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
  }

  /// The token of a word of up to four bytes, the last one lowest.
  private static func token(_ word: UInt64) -> UInt8? {
    switch word {
    case 0x30...0x39: ListOpsToken.digit(UInt8(word - 0x30))  // 0 to 9
    case 0x5D, 0x58: ListOpsToken.close  // ] or X
    case 0x5B4D_494E: ListOperator.minimum.rawValue  // [MIN
    case 0x5B4D_4158: ListOperator.maximum.rawValue  // [MAX
    case 0x5B4D_4544: ListOperator.median.rawValue  // [MED
    case 0x5B_534D: ListOperator.sumModulo.rawValue  // [SM
    default: nil
    }
  }

  private func unknown(_ word: ArraySlice<UInt8>) throws(Fault) -> Fault {
    try checkText(word)
    let what = word.first == UInt8(ascii: "[") ? "operator" : "token"
    return Fault(text: "unknown \(what) \(Self.shown(word))")
  }

  private func parseLabel(_ text: ArraySlice<UInt8>) throws(Fault) -> UInt8 {
    guard text.count == 1, let byte = text.first,
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    else {
      try checkText(text)
      throw Fault(text: "the label \(Self.shown(text)) is not a digit 0 to 9")
    }
    return byte - UInt8(ascii: "0")
  }

  /// Foreign files show themselves by bytes that no text has.
  private func checkText(_ bytes: ArraySlice<UInt8>) throws(Fault) {
    if bytes.contains(0) { throw Fault(text: "there is a NUL byte, so this is not a text file") }
    if String(validating: bytes, as: UTF8.self) == nil {
      throw Fault(text: "the text is not valid UTF-8")
    }
  }

  private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
    let text = String(decoding: bytes.prefix(20), as: UTF8.self)
    return text.debugDescription + (bytes.count > 20 ? "…" : "")
  }
}

/// The round brackets around operators and behind arguments, which have no meaning of their own: there
/// may be none, but those that are there must be where the original has them.
private struct RoundBrackets {
  /// The first thing that is wrong.
  private(set) var found: String?
  private var open = 0
  private var last = Last.start

  private enum Last { case start, opening, operation, argument }

  /// What is wrong with the whole line.
  var fault: String? {
    found ?? (open == 0 ? nil : "\(open) round brackets are not closed")
  }

  /// Takes a bracket or a blank.
  @inline(__always)
  mutating func take(_ byte: UInt8) {
    if byte == UInt8(ascii: "(") {
      open += 1
      last = .opening
    } else if byte == UInt8(ascii: ")") {
      if open == 0 { note("there is a ) without a (") }
      if last != .argument { note("there is a ) where no argument ends") }
      open -= 1
    }
  }

  @inline(__always)
  mutating func take(token: UInt8) {
    let isOperator = ListOpsToken.isOperator(token)
    if last == .opening, !isOperator { note("there is a ( that no operator follows") }
    last = isOperator ? .operation : .argument
  }

  private mutating func note(_ text: String) { if found == nil { found = text } }
}

extension ListOpsEvaluator.Fault {
  /// The fault as told to the user.
  fileprivate var text: String {
    switch self {
    case .closedTooOften: "there is a ] without an operator"
    case .noArguments(let operation): "the operator \(operation) has no arguments"
    case .notClosed(let count): "\(count) operators are not closed by ]"
    case .secondExpression: "something follows the end of the expression"
    case .empty: "there is no expression before the tab"
    }
  }
}
