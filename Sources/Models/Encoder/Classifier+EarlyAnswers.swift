// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation

/// A model's answers where examples leave it as soon as an exit is sure of them.
package struct EarlyAnswers: Sendable {
  /// The logits of the exit by which each example left, [B, C].
  package var logits: [Float]
  /// The blocks that each example went through; empty where all went through all.
  package var blocks: [Int]

  /// Answers of so many blocks.
  package init(logits: [Float], blocks: [Int] = []) {
    self.logits = logits
    self.blocks = blocks
  }
}

extension Classifier {
  /// The scores of each class, by the first exit that is sure enough.
  ///
  /// Behind each block with an exit, examples whose largest probability is at least `confidence` leave; the
  /// rows of the others are packed anew, so that the blocks that follow compute nothing for those that left.
  /// The exit behind the last block is the classifier, by which everybody leaves.
  ///
  /// - Parameters:
  ///   - input: the packed sequences; of two that belong together both leave at once.
  ///   - confidence: 0 for the first exit in any case; above 1 nobody leaves early, and the logits are those
  ///     of the whole model to the bit.
  /// - Precondition: it has exits.
  ///
  /// Source: Xin et al., "DeeBERT" (2020), arXiv 2004.12993.
  package func answers(_ input: PackedTokens, leavingAt confidence: Double) -> EarlyAnswers {
    precondition(!exits.isEmpty, "classifier: there are no exits to leave by")
    let rows = configuration.pooling == .cls ? input.prependingClassToken : input
    var context = rows.context(.evaluation, precision)
    var h = embedded(rows, context)
    var inside = Array(0..<context.sequences.count / configuration.towers)
    let classes = configuration.classes
    var answers = EarlyAnswers(
      logits: [Float](repeating: 0, count: inside.count * classes),
      blocks: [Int](repeating: 0, count: inside.count))
    let leave = { (places: [Int], logits: [Float], blocks: Int) in
      for place in places {
        answers.logits.replaceSubrange(
          inside[place] * classes..<(inside[place] + 1) * classes,
          with: logits[place * classes..<(place + 1) * classes])
        answers.blocks[inside[place]] = blocks
      }
    }
    for block in 0..<blockCount {
      h = run(block, h, context)
      guard block < exits.count else { break }
      let logits = exits[block](h, context).values
      let isSure = inside.indices.map { place in
        largestProbability(logits[place * classes..<(place + 1) * classes]) >= confidence
      }
      guard isSure.contains(true) else { continue }
      leave(inside.indices.filter { isSure[$0] }, logits, block + 1)
      let staying = inside.indices.filter { !isSure[$0] }
      if staying.isEmpty { return answers }
      let towers = configuration.towers
      (h, context) = context.keeping(
        staying.flatMap { towers * $0..<towers * ($0 + 1) }, of: h)
      inside = staying.map { inside[$0] }
    }
    leave(Array(inside.indices), logits(behindLast: h, context).values, blockCount)
    return answers
  }
}

/// The largest of softmax(x).
package func largestProbability(_ logits: ArraySlice<Float>) -> Double {
  let high = Double(logits.max() ?? 0)
  return 1 / logits.reduce(0) { $0 + exp(Double($1) - high) }
}

extension ForwardContext {
  /// An evaluation that goes on with some of the sequences.
  ///
  /// - Parameters:
  ///   - kept: the numbers of sequences, rising.
  ///   - h: the rows of all.
  /// - Returns: their rows, and their context.
  fileprivate func keeping(_ kept: [Int], of h: Tensor) -> (Tensor, ForwardContext) {
    let lengths = kept.map(sequences.length)
    let part = PackedSequences(
      offsets: lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) },
      capacity: sequences.capacity)
    let rows = selectedRows(h, kept.flatMap { sequences.range($0) }, capacity: part.rowCapacity)
    // What layers carry beside the rows has as many for each sequence.
    let tensors = carried.all.map { tensor in
      precondition(tensor.rows % sequences.count == 0, "exits: carried rows of single tokens")
      let each = tensor.rows / sequences.count
      return selectedRows(
        tensor, kept.flatMap { each * $0..<each * ($0 + 1) }, capacity: each * kept.count)
    }
    return (
      rows,
      ForwardContext.evaluation(part, mapPrecision).with(
        Carried(carried.keys, tensors), again: false)
    )
  }
}
