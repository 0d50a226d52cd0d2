// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Draws ListOps expressions as the original does, but reproducibly.
///
/// Candidate i comes from random stream i, and the accepted ones are taken in the order of i, so
/// the data depend on the seed and the window of lengths and on nothing else.
///
/// Source: google-research/long-range-arena @cd31e5c, lra_benchmarks/data/listops.py.
/// Differs: the original has no seed, and its split follows the order of a hash set.
package struct ListOpsGenerator {
  package static let operatorProbability = 0.25
  package static let greatestDepth = 10
  package static let argumentCounts = 2...10
  /// Changes whenever the drawn examples change.
  package static let version = 1
  private static let blockSize = 4096
  /// Give up when so many blocks in a row bring fewer new examples than one candidate in 1000.
  private static let patience = 256

  package let seed: UInt64
  /// Lengths are greater than `lower` and less than `upper`; round brackets do not count.
  package let lower: Int
  package let upper: Int

  /// The window for one greatest length; 2000 gives the original's 500 and 2000.
  package init(seed: UInt64, length: Int) {
    self.seed = seed
    (lower, upper) = (length / 4, length)
  }

  /// Accepted candidates in order, with a hash of each.
  private struct Block: Sendable {
    var examples = PackedExamples(classes: 10)
    var hashes: [UInt64] = []
  }

  /// The first distinct expressions, cut into consecutive parts.
  ///
  /// - Parameters:
  ///   - counts: the number of examples of each part.
  ///   - workers: threads; any number gives the same examples.
  ///   - report: told how far it is, about once a second.
  /// - Throws: `UserError` of kind `usage` when hardly any expression has such a length.
  package func parts(
    _ counts: [Int], workers: Int = usableCores,
    report: (String) -> Void = { _ in }
  ) throws -> [PackedExamples] {
    var collector = Collector(counts: counts, typicalLength: upper * 27 / 50)
    var lastMark = 0
    var lastReport = ContinuousClock.now
    for round in 0... {
      let first = round * workers * 2
      let blocks = try parallelMap(workers * 2, workers: workers) { block(first + $0) }
      for (index, block) in blocks.enumerated() {
        if collector.take(block.examples, block.hashes) { return collector.parts }
        guard (first + index + 1) % Self.patience == 0 else { continue }
        try check(collector.total - lastMark)
        lastMark = collector.total
      }
      if lastReport.duration(to: .now) > .seconds(1) {
        lastReport = .now
        report("generated \(collector.total) of \(counts.reduce(0, +)) expressions")
      }
    }
    return collector.parts
  }

  private func check(_ fresh: Int) throws {
    let candidates = Self.patience * Self.blockSize
    guard fresh < candidates / 1000 else { return }
    throw UserError(
      .usage,
      "only \(fresh) of \(candidates) random expressions are new and have more than \(lower) and "
        + "fewer than \(upper) tokens",
      remedy: "choose another task.length (the benchmark's is 2000) or fewer examples")
  }

  private func block(_ index: Int) -> Block {
    var block = Block()
    var tree = RandomTree(upper: upper)
    for candidate in index * Self.blockSize..<(index + 1) * Self.blockSize {
      let random = RandomStream(seed: seed, stream: UInt64(candidate))
      guard let value = tree.draw(random), tree.tokens.count > lower else { continue }
      block.examples.append(tree.tokens[...], label: value)
      var hash = FNV1a()
      hash.add(tree.tokens)
      block.hashes.append(hash.value)
    }
    return block
  }
}

/// Sorts examples into parts, leaving out what was seen before.
private struct Collector {
  var parts: [PackedExamples]
  private(set) var total = 0
  private let counts: [Int]
  private var part = 0
  // Equal hashes count as equal expressions: a false match drops one of 10^10 new ones.
  private var seen: Set<UInt64> = []

  init(counts: [Int], typicalLength: Int) {
    self.counts = counts
    parts = counts.map { count in
      var part = PackedExamples(classes: 10)
      // More than the benchmark's sizes may never come, and grows as it comes.
      let examples = min(count, 100_000)
      part.reserveCapacity(examples: examples, tokens: min(examples * typicalLength, 1 << 27))
      return part
    }
    seen.reserveCapacity(min(counts.reduce(0, +), 200_000))
  }

  /// Adds a block; true when every part is full.
  mutating func take(_ examples: PackedExamples, _ hashes: [UInt64]) -> Bool {
    for (example, hash) in hashes.enumerated() {
      while part < counts.count && parts[part].count == counts[part] { part += 1 }
      if part == counts.count { return true }
      guard seen.insert(hash).inserted else { continue }
      parts[part].append(examples[example], label: examples.labels[example])
      total += 1
    }
    return zip(parts, counts).allSatisfy { $0.count == $1 }
  }
}

/// One random expression, written into a buffer and evaluated while it is drawn.
private struct RandomTree {
  private(set) var tokens: [UInt8] = []
  private var random = RandomStream(seed: 0, stream: 0)
  private let upper: Int

  init(upper: Int) {
    self.upper = upper
    tokens.reserveCapacity(upper)
  }

  /// Draws an expression; nil as soon as it is too long.
  mutating func draw(_ random: RandomStream) -> UInt8? {
    self.random = random
    tokens.removeAll(keepingCapacity: true)
    return node(depth: 1)
  }

  private mutating func node(depth: Int) -> UInt8? {
    guard tokens.count + 1 < upper else { return nil }
    if depth == ListOpsGenerator.greatestDepth
      || random.uniform() > ListOpsGenerator.operatorProbability
    {
      let value = UInt8(random.integer(below: 10))
      tokens.append(ListOpsToken.digit(value))
      return value
    }
    return operation(depth: depth)
  }

  private mutating func operation(depth: Int) -> UInt8? {
    let range = ListOpsGenerator.argumentCounts
    let count = range.lowerBound + random.integer(below: range.count)
    // The operator is drawn after its arguments, as in the original, but stands before them.
    let slot = tokens.count
    tokens.append(0)
    var arguments = ListArguments()
    for _ in 0..<count {
      guard let value = node(depth: depth + 1) else { return nil }
      arguments.add(value)
    }
    guard tokens.count + 1 < upper else { return nil }
    let operation = ListOperator.allCases[random.integer(below: ListOperator.allCases.count)]
    tokens[slot] = operation.rawValue
    tokens.append(ListOpsToken.close)
    return arguments.value(operation)
  }
}
