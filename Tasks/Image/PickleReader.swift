// SPDX-License-Identifier: Apache-2.0

/// Reads the pickles, protocol 2, in which Python keeps plain values and NumPy arrays, as values that do
/// nothing: what a pickle would call is noted, never called.
///
/// Only the instructions are known that such files have; any other is an error. Memory is in proportion
/// to the file, whose texts are not copied.
///
/// Source: CPython, Lib/pickletools.py.
struct PickleReader {
  /// What is wrong with a pickle.
  struct Fault: Error {
    let text: String
  }

  /// A value, as Python's but for what has parts.
  enum Value: Equatable {
    case none
    case boolean(Bool)
    case integer(Int)
    /// A text or bytes, by their place in the file.
    case text(Range<Int>)
    /// The name of a class or function.
    case global(String)
    case object(Object)
  }

  /// A list, a tuple, a dictionary (keys and values in turn), or what a call would make of a function
  /// and a tuple of arguments.
  final class Object: Equatable {
    var items: [Value]
    /// What the object would be given after it is made.
    var state: Value?

    init(_ items: [Value] = []) { self.items = items }

    /// Whether it is what a function of that name would make, whatever its module is called.
    func isMade(by name: String) -> Bool {
      guard items.count == 2, case .global(let function) = items[0] else { return false }
      return function == name || function.hasSuffix(" \(name)")
    }

    /// The value of a dictionary's key.
    func member(_ key: String, _ bytes: [UInt8]) -> Value? {
      for place in stride(from: 0, to: items.count - 1, by: 2) {
        if case .text(let name) = items[place], bytes[name].elementsEqual(key.utf8) {
          return items[place + 1]
        }
      }
      return nil
    }

    static func == (a: Object, b: Object) -> Bool { a === b }
  }

  private let bytes: [UInt8]
  private var place = 0
  private var stack: [Value] = []
  /// Where on the stack the open marks are.
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The value of the whole pickle.
  mutating func read() throws(Fault) -> Value {
    guard bytes.starts(with: [0x80, 2]) else {
      throw Fault(text: "this is no pickle of protocol 2, as the published files are")
    }
    place = 2
    while true {
      let code = try number(1)
      if code == 0x2E { return try pop() }  // STOP
      try take(code)
    }
  }

  /// Carries out one instruction.
  private mutating func take(_ code: Int) throws(Fault) {
    switch UnicodeScalar(UInt8(code)) {
    case "N": stack.append(.none)
    case "\u{88}": stack.append(.boolean(true))
    case "\u{89}": stack.append(.boolean(false))
    case "K": stack.append(.integer(try number(1)))
    case "M": stack.append(.integer(try number(2)))
    case "J": stack.append(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case "U": stack.append(.text(try span(number(1))))  // SHORT_BINSTRING
    case "T", "X": stack.append(.text(try span(number(4))))  // BINSTRING, BINUNICODE
    case "c":
      let module = try line()
      stack.append(.global("\(module) \(try line())"))
    case "q": try remember(number(1))
    case "r": try remember(number(4))
    case "h": try recall(number(1))
    case "j": try recall(number(4))
    case "(": marks.append(stack.count)
    case "]", "}", ")": stack.append(.object(Object()))
    case "t": stack.append(.object(Object(try sinceMark())))
    case "\u{85}": try tuple(1)
    case "\u{86}": try tuple(2)
    case "\u{87}": try tuple(3)
    case "a": try extend([pop()])  // APPEND
    case "s": try setItem()
    case "e", "u": try extend(sinceMark())  // APPENDS, SETITEMS
    case "R": try tuple(2)  // REDUCE: function and arguments
    case "b":
      let state = try pop()
      try top().state = state
    default:
      throw Fault(
        text: "byte \(place - 1) is the instruction 0x\(String(code, radix: 16)), which tables of "
          + "pictures do not need")
    }
  }

  private mutating func pop() throws(Fault) -> Value {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
      throw Fault(text: "byte \(place - 1) needs a value that is not there")
    }
    return value
  }

  /// The object at the top of the stack.
  private func top() throws(Fault) -> Object {
    guard case .object(let object)? = stack.last else {
      throw Fault(text: "byte \(place - 1) needs an object that is not there")
    }
    return object
  }

  private mutating func sinceMark() throws(Fault) -> [Value] {
    guard let mark = marks.popLast(), mark <= stack.count else {
      throw Fault(text: "byte \(place - 1) needs a mark that is not there")
    }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private mutating func extend(_ values: [Value]) throws(Fault) { try top().items += values }

  private mutating func setItem() throws(Fault) {
    let value = try pop()
    try extend([pop(), value])
  }

  private mutating func tuple(_ count: Int) throws(Fault) {
    var values: [Value] = []
    for _ in 0..<count { values.append(try pop()) }
    stack.append(.object(Object(values.reversed())))
  }

  private mutating func remember(_ key: Int) throws(Fault) {
    guard let value = stack.last else {
      throw Fault(text: "byte \(place - 1) needs a value that is not there")
    }
    memo[key] = value
  }

  private mutating func recall(_ key: Int) throws(Fault) {
    guard let value = memo[key] else {
      throw Fault(text: "byte \(place - 1) needs the value \(key), which was not kept")
    }
    stack.append(value)
  }

  /// The next bytes as a number, lowest first.
  private mutating func number(_ count: Int) throws(Fault) -> Int {
    bytes[try span(count)].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// The place of the next bytes.
  private mutating func span(_ count: Int) throws(Fault) -> Range<Int> {
    guard count <= bytes.count - place else {
      throw Fault(text: "the pickle ends too early, after \(bytes.count) bytes")
    }
    defer { place += count }
    return place..<place + count
  }

  /// The text up to the next line end.
  private mutating func line() throws(Fault) -> String {
    guard let end = bytes[place...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw Fault(text: "the pickle ends too early, after \(bytes.count) bytes")
    }
    let span = try span(end + 1 - place)
    return String(decoding: bytes[span].dropLast(), as: UTF8.self)
  }
}
