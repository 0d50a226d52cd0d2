// SPDX-License-Identifier: Apache-2.0

import Base

/// What is done to the tokens of a sequence outside a window, to find what a model makes of them.
package enum Disturbance: String, CaseIterable, Sendable {
  /// A window of `w` neighbouring tokens stays where it is, all others are shuffled among their places.
  case rest = "rest shuffled"
  /// Blocks of `w` neighbouring tokens stay as they are, but change places; the last may be short.
  case blocks = "blocks shuffled"
  /// Only a window of `w` neighbouring tokens is there.
  case alone = "window alone"
}

/// Examples with tokens disturbed outside a window of `w`.
///
/// Sequences of at most `w` tokens are as they
/// were; shuffled blocks of one token leave a bag of tokens.
///
/// Where the window lies and how tokens are shuffled is a function of seed, example and tower, the same
/// for every kind of disturbance and every window.
package struct DisturbedExamples: ExampleSource {
  private let source: any ExampleSource
  private let disturbance: Disturbance
  private let window: Int
  private let seed: UInt64

  /// - Precondition: window > 0.
  package init(
    _ source: any ExampleSource, _ disturbance: Disturbance, window: Int, seed: UInt64 = 0
  ) {
    precondition(window > 0, "DisturbedExamples: a window of \(window)")
    self.source = source
    self.disturbance = disturbance
    self.window = window
    self.seed = seed
  }

  /// The number of examples.
  package var count: Int { source.count }
  /// The number of examples of each class.
  package var labelCounts: [Int] { source.labelCounts }
  /// The class of one example.
  package func label(_ example: Int) -> Int { source.label(example) }

  /// The number of tokens of one sequence.
  package func length(_ example: Int, tower: Int) throws -> Int {
    let length = try source.length(example, tower: tower)
    return disturbance == .alone ? min(window, length) : length
  }

  /// Appends the tokens of one sequence.
  package func append(_ example: Int, tower: Int, to tokens: inout [Int32]) throws {
    var own: [Int32] = []
    try source.append(example, tower: tower, to: &own)
    guard window < own.count else { return tokens += own }
    var random = RandomStream(
      seed: seed, stream: fnv1a("disturbance.\(tower)") &+ UInt64(example))
    let first = random.integer(below: own.count - window + 1)
    switch disturbance {
    case .alone:
      tokens += own[first..<first + window]
    case .rest:
      let places = Array(own.indices.prefix(first)) + Array(first + window..<own.count)
      var others = places.map { own[$0] }
      Self.shuffle(&others, &random)
      for (place, token) in zip(places, others) { own[place] = token }
      tokens += own
    case .blocks:
      var starts = Array(stride(from: 0, to: own.count, by: window))
      Self.shuffle(&starts, &random)
      for start in starts { tokens += own[start..<min(own.count, start + window)] }
    }
  }

  /// Adds the examples, and what is done to them.
  package func add(to hash: inout FNV1a) {
    source.add(to: &hash)
    hash.add(Array("\(disturbance) \(window) \(seed)".utf8))
  }

  /// Fisher and Yates'.
  private static func shuffle<Element>(
    _ values: inout [Element], _ random: inout RandomStream
  ) {
    for last in stride(from: values.count - 1, to: 0, by: -1) {
      values.swapAt(last, random.integer(below: last + 1))
    }
  }
}
