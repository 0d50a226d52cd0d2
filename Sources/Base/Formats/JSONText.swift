// SPDX-License-Identifier: Apache-2.0

/// A strict JSON reader for file headers and configurations.
///
/// Foundation's reader keeps one of two members with the same name; here that is an error.
package enum JSONText {
  /// A value; the members of an object have different names.
  package enum Value {
    case object([(String, Value)])
    case array([Value])
    case string(String)
    case integer(Int)
    /// Finite, and not written as a whole number that an `Int` holds.
    case number(Double)
    case boolean(Bool)
    case null

    /// The elements of an array of non-negative integers, nil for anything else.
    var integers: [Int]? {
      guard case .array(let values) = self else { return nil }
      var result: [Int] = []
      for value in values {
        guard case .integer(let number) = value, number >= 0 else { return nil }
        result.append(number)
      }
      return result
    }
  }

  /// What is wrong with the text.
  package struct Failure: Error { package let reason: String }

  /// Reads one value; spaces may follow it.
  package static func parse(_ bytes: ArraySlice<UInt8>) throws -> Value {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(reason: "invalid UTF-8")
    }
    var scanner = Scanner(text: text.unicodeScalars[...])
    let value = try scanner.value(depth: 0)
    scanner.skipSpaces()
    guard scanner.text.isEmpty else { throw Failure(reason: "text after the end") }
    return value
  }

  /// A text as a JSON string, with the escapes that the reference writer uses.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{8}": result += "\\b"
      case "\u{C}": result += "\\f"
      case "\0"..."\u{1F}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension JSONText {
  private struct Scanner {
    var text: Substring.UnicodeScalarView

    mutating func skipSpaces() {
      while let first = text.first, " \n\r\t".unicodeScalars.contains(first) { text.removeFirst() }
    }

    mutating func value(depth: Int) throws -> Value {
      guard depth < 16 else { throw Failure(reason: "nested too deeply") }
      skipSpaces()
      switch text.first {
      case "{": return .object(try members(depth: depth))
      case "[": return .array(try elements(depth: depth))
      case "\"": return .string(try string())
      default: return try plain()
      }
    }

    private mutating func members(depth: Int) throws -> [(String, Value)] {
      var result: [(String, Value)] = []
      var names: Set<String> = []
      try list(from: "{", to: "}") { scanner in
        scanner.skipSpaces()
        let name = try scanner.string()
        guard names.insert(name).inserted else { throw Failure(reason: "\(name) occurs twice") }
        scanner.skipSpaces()
        try scanner.take(":")
        result.append((name, try scanner.value(depth: depth + 1)))
      }
      return result
    }

    private mutating func elements(depth: Int) throws -> [Value] {
      var result: [Value] = []
      try list(from: "[", to: "]") { result.append(try $0.value(depth: depth + 1)) }
      return result
    }

    private mutating func list(
      from open: Unicode.Scalar, to end: Unicode.Scalar, item: (inout Scanner) throws -> Void
    ) throws {
      try take(open)
      skipSpaces()
      if text.first == end {
        text.removeFirst()
        return
      }
      while true {
        try item(&self)
        skipSpaces()
        if text.first == end {
          text.removeFirst()
          return
        }
        try take(",")
      }
    }

    private mutating func string() throws -> String {
      try take("\"")
      var result = String.UnicodeScalarView()
      while let scalar = text.popFirst() {
        switch scalar {
        case "\"": return String(result)
        case "\\": result.append(try escaped())
        case "\0"..."\u{1F}": throw Failure(reason: "a control character in a text")
        default: result.append(scalar)
        }
      }
      throw Failure(reason: "a text without end")
    }

    private mutating func escaped() throws -> Unicode.Scalar {
      switch text.popFirst() {
      case "\"": return "\""
      case "\\": return "\\"
      case "/": return "/"
      case "b": return "\u{8}"
      case "f": return "\u{C}"
      case "n": return "\n"
      case "r": return "\r"
      case "t": return "\t"
      case "u": return try codePoint()
      default: throw Failure(reason: "an unknown escape")
      }
    }

    private mutating func codePoint() throws -> Unicode.Scalar {
      let first = try fourDigits()
      if let scalar = Unicode.Scalar(first) { return scalar }
      // The first half of a pair, as UTF-16 writes characters above U+FFFF.
      try take("\\")
      try take("u")
      let second = try fourDigits()
      guard (0xD800..<0xDC00).contains(first), (0xDC00..<0xE000).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      else { throw Failure(reason: "half a surrogate pair") }
      return scalar
    }

    private mutating func fourDigits() throws -> UInt32 {
      let digits = String(text.prefix(4))
      guard digits.utf8.count == 4, digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }),
        let value = UInt32(digits, radix: 16)
      else { throw Failure(reason: "an unknown escape") }
      text.removeFirst(4)
      return value
    }

    private mutating func plain() throws -> Value {
      let word = String(text.prefix { !",]} \n\r\t".unicodeScalars.contains($0) })
      text.removeFirst(word.unicodeScalars.count)
      switch word {
      case "true": return .boolean(true)
      case "false": return .boolean(false)
      case "null": return .null
      case "": throw Failure(reason: "a value is missing")
      default: return try number(word)
      }
    }

    private func number(_ word: String) throws -> Value {
      guard Self.isNumber(word), let value = Double(word) else {
        throw Failure(reason: "\(word.prefix(40)) is no value")
      }
      if let number = Int(word) { return .integer(number) }
      guard value.isFinite else { throw Failure(reason: "\(word.prefix(40)) is too large") }
      return .number(value)
    }

    /// Whether a word is a number of RFC 8259: minus, digits without a leading zero, fraction, exponent.
    ///
    /// A regular expression here took a third of the time of reading a run.
    private static func isNumber(_ word: String) -> Bool {
      var rest = Substring(word).utf8
      func skipped(_ characters: String) -> Bool {
        guard let first = rest.first, characters.utf8.contains(first) else { return false }
        rest.removeFirst()
        return true
      }
      func digits() -> Int {
        let count = rest.prefix { (48...57).contains($0) }.count
        rest.removeFirst(count)
        return count
      }
      _ = skipped("-")
      let hasLeadingZero = rest.first == UInt8(ascii: "0")
      let whole = digits()
      guard whole == 1 || whole > 1 && !hasLeadingZero else { return false }
      if skipped("."), digits() == 0 { return false }
      if skipped("eE") {
        _ = skipped("+-")
        if digits() == 0 { return false }
      }
      return rest.isEmpty
    }

    private mutating func take(_ expected: Unicode.Scalar) throws {
      guard text.popFirst() == expected else { throw Failure(reason: "\(expected) expected") }
    }
  }
}
