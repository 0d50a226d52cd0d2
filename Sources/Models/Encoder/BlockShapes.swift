// SPDX-License-Identifier: Apache-2.0

import Base

/// The parts that the blocks of a model have: all of them, or those that pruning has left.
///
/// Blocks and heads keep the numbers that they had in the whole model, and with them the names of their
/// weights, and whatever else a variant makes of a head's number.
package struct BlockShapes: Sendable, Equatable {
  /// One block.
  package struct Block: Sendable, Equatable {
    /// Its number in the whole model.
    package let number: Int
    /// The numbers of its heads in the whole model, rising; a block without any has no mixer.
    package var heads: [Int]
    /// The inner columns of its feed-forward network; without any it has none.
    package var inner: Int

    /// A block of these parts.
    package init(number: Int, heads: [Int], inner: Int) {
      self.number = number
      self.heads = heads
      self.inner = inner
    }
  }

  /// In their order.
  package var blocks: [Block]

  /// These blocks.
  package init(_ blocks: [Block]) { self.blocks = blocks }

  /// Reads `model.kept-layers`, `model.kept-heads` and `model.inner-widths`.
  ///
  /// - Throws: `UserError(.configuration)` that names the key and what it should be.
  init(_ settings: ModelSettings) throws {
    let layers =
      settings.keptLayers.isEmpty
      ? Array(0..<settings.layers)
      : try Self.rising("model.kept-layers", settings.keptLayers, below: settings.layers)
    let heads =
      settings.keptHeads.isEmpty
      ? layers.map { _ in Array(0..<settings.heads) }
      : try settings.keptHeads.split(separator: "/", omittingEmptySubsequences: false).map {
        try Self.rising("model.kept-heads", $0, below: settings.heads)
      }
    let inner =
      settings.innerWidths.isEmpty
      ? layers.map { _ in settings.feedForward }
      : try Self.integers("model.inner-widths", settings.innerWidths, 0...settings.feedForward)
    for (key, count) in [("kept-heads", heads.count), ("inner-widths", inner.count)]
    where count != layers.count {
      throw UserError(
        .configuration,
        "model.\(key) tells of \(counted(count, "block")), but there are "
          + "\(layers.count)", remedy: "give one entry for each block, or leave it out")
    }
    blocks = layers.indices.map { .init(number: layers[$0], heads: heads[$0], inner: inner[$0]) }
  }

  /// Writes the blocks into settings; what is whole is left out.
  package func note(in settings: inout ModelSettings) {
    precondition(!blocks.isEmpty, "blocks: none is left")
    let text = { (numbers: [Int]) in numbers.map(String.init).joined(separator: ",") }
    settings.keptLayers = blocks.count == settings.layers ? "" : text(blocks.map(\.number))
    settings.keptHeads =
      blocks.allSatisfy { $0.heads.count == settings.heads }
      ? "" : blocks.map { text($0.heads) }.joined(separator: "/")
    settings.innerWidths =
      blocks.allSatisfy { $0.inner == settings.feedForward } ? "" : text(blocks.map(\.inner))
  }

  private static func rising(
    _ key: String, _ text: some StringProtocol, below bound: Int
  ) throws -> [Int] {
    if text.isEmpty { return [] }
    let numbers = try integers(key, text, 0...max(bound - 1, 0))
    guard zip(numbers, numbers.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw UserError(
        .configuration, "\(key): \(text) does not rise", remedy: "name each number once, in order")
    }
    return numbers
  }

  private static func integers(
    _ key: String, _ text: some StringProtocol, _ range: ClosedRange<Int>
  ) throws -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let number = Int(part), range.contains(number) else {
        throw UserError(
          .configuration,
          "\(key): \"\(part)\" is no whole number from \(range.lowerBound) to \(range.upperBound)",
          remedy: "lra explain \(key) says what it decides")
      }
      return number
    }
  }
}
