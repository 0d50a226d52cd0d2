// SPDX-License-Identifier: Apache-2.0

import Base

/// An operator of ListOps; the raw value is its token id.
package enum ListOperator: UInt8, CaseIterable {
  case minimum = 11
  case maximum = 12
  case median = 13
  case sumModulo = 14
}

/// The fixed vocabulary: 0 padding, 1...10 the digits 0...9, 11...14 the operators, 15 `]`, 16 unknown.
///
/// The original numbers its tokens anew in every process, in the order of a hash set; a model
/// tested in another process than it was trained in then sees permuted tokens.
package enum ListOpsToken {
  package static let close: UInt8 = 15
  package static let vocabulary = 17
  /// Every token as written, by id.
  package static let texts =
    ["<pad>"] + (0...9).map(String.init) + ["[MIN", "[MAX", "[MED", "[SM", "]", "<unk>"]

  @inline(__always)
  package static func digit(_ value: UInt8) -> UInt8 { value + 1 }

  package static func isOperator(_ token: UInt8) -> Bool { (11...14).contains(token) }
}

/// The arguments of one operator, kept as the number of times that each digit occurs.
package struct ListArguments {
  private var counts = SIMD16<UInt32>()
  private(set) var count = 0
  private var sum = 0

  /// No arguments.
  package init() {}

  /// Adds an argument, 0...9.
  @inline(__always)
  package mutating func add(_ value: UInt8) {
    counts[Int(value)] += 1
    count += 1
    sum += Int(value)
  }

  /// The operator applied to the arguments.
  ///
  /// The median of an even number of arguments is the mean of the middle two, rounded down.
  ///
  /// - Precondition: there is at least one argument.
  package func value(_ operation: ListOperator) -> UInt8 {
    switch operation {
    case .minimum: ranked(0)
    case .maximum: ranked(count - 1)
    case .median: (ranked((count - 1) / 2) + ranked(count / 2)) / 2
    case .sumModulo: UInt8(sum % 10)
    }
  }

  /// The argument at a place of the sorted order.
  private func ranked(_ place: Int) -> UInt8 {
    var before = 0
    for digit in 0..<9 {
      before += Int(counts[digit])
      if before > place { return UInt8(digit) }
    }
    return 9
  }
}

/// A prefix expression that arrives token by token: checks its form and computes its value.
package struct ListOpsEvaluator {
  /// What is wrong with an expression.
  package enum Fault: Error, Equatable {
    case closedTooOften
    case noArguments(String)
    case notClosed(Int)
    case secondExpression
    case empty
  }

  private var open: [(operation: ListOperator, arguments: ListArguments)] = []
  private var result: UInt8?

  /// Before the first token.
  package init() {}

  /// Takes the next token, one of 1...15.
  package mutating func take(_ token: UInt8) throws(Fault) {
    if result != nil { throw .secondExpression }
    if let operation = ListOperator(rawValue: token) {
      open.append((operation, ListArguments()))
    } else if token == ListOpsToken.close {
      guard let last = open.popLast() else { throw .closedTooOften }
      guard last.arguments.count > 0 else {
        throw .noArguments(ListOpsToken.texts[Int(last.operation.rawValue)])
      }
      finish(last.arguments.value(last.operation))
    } else {
      finish(token - 1)
    }
  }

  /// The value, after the last token.
  package func value() throws(Fault) -> UInt8 {
    if !open.isEmpty { throw .notClosed(open.count) }
    guard let result else { throw .empty }
    return result
  }

  /// The value of a whole expression; nil for bytes that are none.
  package mutating func value(of tokens: some Sequence<UInt8>) -> UInt8? {
    reset()
    for token in tokens {
      guard 1...ListOpsToken.close ~= token else { return nil }
      do { try take(token) } catch { return nil }
    }
    return try? value()
  }

  /// Forgets everything, for the next expression.
  package mutating func reset() {
    open.removeAll(keepingCapacity: true)
    result = nil
  }

  private mutating func finish(_ value: UInt8) {
    if open.isEmpty { result = value } else { open[open.count - 1].arguments.add(value) }
  }
}
