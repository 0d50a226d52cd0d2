// SPDX-License-Identifier: Apache-2.0

import Base

/// Pairs of texts with a label, in the order of their file; each text is read when it is asked for.
protocol PairSource: Sendable {
  /// The number of pairs.
  var count: Int { get }
  /// 1 where one text cites the other, else 0.
  func label(_ pair: Int) -> UInt8
  /// The bytes of a text that count, at least one.
  ///
  /// - Throws: `UserError` that names the file that can no longer be read.
  func text(_ pair: Int, _ side: Int) throws -> [UInt8]
  /// How many these are.
  func length(_ pair: Int, _ side: Int) -> Int
  /// A hash of the label and of both texts.
  func hash(_ pair: Int) -> UInt64
}

/// Some of the pairs, as tokens: bytes plus 1, cut at a length.
struct PairExamples: ExampleSource {
  private let source: any PairSource
  private let pairs: [Int]
  private let length: Int
  private let undoesLiterals: Bool
  /// The number of examples of each class.
  let labelCounts: [Int]

  /// The given pairs.
  ///
  /// - Parameter undoesLiterals: whether a text such as `b'…'` stands for the bytes that it means.
  init(_ source: any PairSource, pairs: [Int], length: Int, undoesLiterals: Bool) {
    self.source = source
    self.pairs = pairs
    self.length = length
    self.undoesLiterals = undoesLiterals
    let positive = pairs.count { source.label($0) == 1 }
    labelCounts = [pairs.count - positive, positive]
  }

  /// The number of examples.
  var count: Int { pairs.count }

  /// The class of one example.
  func label(_ example: Int) -> Int { Int(source.label(pairs[example])) }

  /// The number of tokens of one text.
  func length(_ example: Int, tower: Int) throws -> Int {
    undoesLiterals
      ? try text(example, tower).count : min(length, source.length(pairs[example], tower))
  }

  /// Appends the tokens of one text.
  func append(_ example: Int, tower: Int, to tokens: inout [Int32]) throws {
    tokens.append(contentsOf: try text(example, tower).lazy.map { Int32($0) + 1 })
  }

  /// Adds what the examples are made from to a hash.
  func add(to hash: inout FNV1a) {
    hash.add(UInt64(count))
    hash.add(UInt64(length))
    hash.add(CollectionOfOne(undoesLiterals ? 1 : 0))
    for pair in pairs { hash.add(source.hash(pair)) }
  }

  private func text(_ example: Int, _ tower: Int) throws -> ArraySlice<UInt8> {
    let text = try source.text(pairs[example], tower)
    return (undoesLiterals ? bytesOfLiteral(text) : text).prefix(length)
  }
}
