// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import Runs
import Tasks

/// Learning from the inputs alone: tokens that are hidden, or each next token.
///
/// ```
/// loss = Σ over predicted tokens of cross-entropy(W·row + b, token) / their number
/// ```
/// Of numbers (`model.input`) it is the mean absolute error of w·row + b from the number in -1…1. A token is
/// hidden with probability ρ as a function of (seed, step, example, place); in an evaluation of (seed, 0,
/// example, place), so that all evaluations hide the same. The id of padding, 0, which no model ever sees,
/// stands for a hidden token: the row of the embedding that it has is used for nothing else. W, b and, for
/// numbers, the row of what is hidden are trained beside the model and are no part of it.
///
/// Source: Amos, Berant and Gupta, "Never train from scratch" (2024), arXiv 2310.02980.
/// Differs: of numbers, the code gives the model a second input, which says what is hidden.
package final class SelfPretraining: Objective {
  private let settings: PretrainingSettings
  private let hides: Philox
  private let towers: Int
  private let vocabulary: Int
  private let weight: Parameter
  private let bias: Parameter
  private let isNumeric: Bool
  /// What a number may be off by to count as right, a tenth of the range.
  private static let tolerance: Float = 0.1

  /// The objective of a model, which gets companion weights.
  ///
  /// - Throws: `UserError` where the model sees the tokens that it would have to predict.
  /// - Precondition: nobody has used a weight of the model yet.
  package init(_ configuration: RunConfiguration, _ model: Classifier) throws {
    settings = configuration.pretraining
    let size = model.configuration
    if settings.objective == .causal, try !size.isCausal() {
      throw UserError(
        .configuration,
        "train.objective is causal, but the rows of a \(size.name) see the tokens behind them",
        remedy: "use --set train.objective=masked, or lru or s4d with "
          + "--set model.bidirectional=false")
    }
    hides = Philox(key: configuration.training.seed ^ fnv1a("hidden tokens"))
    (towers, vocabulary) = (size.towers, size.vocabulary)
    isNumeric = size.input == .numbers
    let scope = model.parameters.companions
    let outputs = isNumeric ? 1 : size.vocabulary
    weight = scope.weight("decoder.weight", [outputs, size.width], .lecunNormal)
    bias = scope.weight("decoder.bias", [outputs], .zeros)
    if isNumeric && settings.objective == .masked {
      model.hiddenRow = scope.weight("hidden", [1, size.width], .normal(0.02))
    }
  }

  // MARK: What is hidden

  package func input(_ batch: Batch, step: Int) -> Batch {
    guard settings.objective == .masked else { return batch }
    var hidden = batch
    forEachHidden(batch, step) { hidden.tokens[$0] = Self.hidden }
    return hidden
  }

  package func count(_ batch: Batch, step: Int) -> Int {
    guard settings.objective == .masked else {
      return zip(batch.offsets, batch.offsets.dropFirst()).reduce(0) {
        $0 + max(0, $1.1 - $1.0 - 1)
      }
    }
    var count = 0
    forEachHidden(batch, step) { _ in count += 1 }
    return count
  }

  private static let hidden: Int32 = 0

  /// Calls `body` with the place of each token that is hidden.
  private func forEachHidden(_ batch: Batch, _ step: Int, _ body: (Int) -> Void) {
    let bound = UInt64(settings.maskShare * 0x1p32)
    for sequence in 0..<batch.offsets.count - 1 {
      let (example, tower) = (batch.examples[sequence / towers], sequence % towers)
      let first = batch.offsets[sequence]
      let stream = UInt64(example) << 32 | UInt64(tower) << 31
      for start in stride(from: first, to: batch.offsets[sequence + 1], by: 4) {
        let words = hides.block((UInt64(step), stream | UInt64((start - first) / 4)))
        for (i, word) in [words.0, words.1, words.2, words.3].enumerated()
        where UInt64(word) < bound && start + i < batch.offsets[sequence + 1] {
          body(start + i)
        }
      }
    }
  }

  // MARK: The loss

  package func callAsFunction(
    _ rows: EncodedSequences, of model: Classifier, _ batch: Batch, count: Int
  ) -> ObjectiveTerm {
    let (places, tokens) = predicted(rows, batch)
    guard !places.isEmpty else {
      // A part of a batch of which nothing is hidden: any row, without weight.
      let any = loss(selectedRows(rows.rows, [0], capacity: 1), [1], count: 1)
      return ObjectiveTerm(loss: scaled(any.loss, by: 0), correct: 0)
    }
    let capacity = Int(Double(rows.sequences.rowCapacity) * (isMasked ? settings.maskShare : 1))
    let chosen = selectedRows(rows.rows, places, capacity: max(places.count, capacity * 5 / 4))
    return loss(chosen, tokens, count: max(count, 1))
  }

  private var isMasked: Bool { settings.objective == .masked }

  /// The rows that predict a token, and these tokens.
  private func predicted(
    _ rows: EncodedSequences, _ batch: Batch
  ) -> (places: [Int], tokens: [Int32]) {
    var (places, tokens): ([Int], [Int32]) = ([], [])
    for sequence in 0..<batch.offsets.count - 1 {
      let own = batch.offsets[sequence]..<batch.offsets[sequence + 1]
      // Behind the class token, if there is one.
      let first = rows.sequences.offsets[sequence + 1] - own.count
      for (i, place) in own.enumerated() {
        if isMasked, rows.tokens[first + i] == Self.hidden {
          places.append(first + i)
          tokens.append(batch.tokens[place])
        } else if !isMasked, place + 1 < own.upperBound {
          places.append(first + i)
          tokens.append(batch.tokens[place + 1])
        }
      }
    }
    return (places, tokens)
  }

  /// The loss of rows that predict tokens, and how many are right.
  private func loss(_ rows: Tensor, _ tokens: [Int32], count: Int) -> ObjectiveTerm {
    let predictions = linear(rows, weight: weight.tensor, bias: bias.tensor)
    guard isNumeric else {
      return ObjectiveTerm(
        loss: crossEntropy(predictions, labels: tokens, count: count),
        correct: countCorrect(predictions.values, tokens))
    }
    let targets = tokens.map(number)
    let difference = elementwise(
      .absolute, elementwise(.difference, predictions, Tensor(shape: predictions.shape, targets)))
    let all = PackedSequences(count: 1, length: tokens.count)
    return ObjectiveTerm(
      loss: scaled(
        meanPool(difference, sequences: all).reshaped([1]),
        by: Float(tokens.count) / Float(count)),
      correct: difference.values.count { $0 <= Self.tolerance })
  }

  /// A token as a number in -1…1.
  private func number(_ token: Int32) -> Float {
    2 * Float(token - 1) / Float(max(1, vocabulary - 2)) - 1
  }
}

extension SelfPretraining {
  /// Loss and share of right answers over the tokens that an evaluation asks for.
  ///
  /// - Returns: nil if `shouldStop` answered true between two batches.
  func evaluation(
    _ model: Classifier, _ source: any ExampleSource, batch size: Int,
    shouldStop: () -> Bool = { false }
  ) throws -> Evaluation? {
    model.parameters.tracksGradients = false
    defer { model.parameters.tracksGradients = true }
    var result = Evaluation(count: 0, correct: 0, loss: 0)
    for first in stride(from: 0, to: source.count, by: size) {
      if shouldStop() { return nil }
      let examples = Array(first..<min(source.count, first + size))
      let batch = try makeBatch(source, examples: examples, towers: towers)
      let count = count(batch, step: 0)
      let rows = model.encode(
        input(batch, step: 0).packed(capacity: model.configuration.length), .evaluation)
      let term = self(rows, of: model, batch, count: 1)
      result.count += count
      result.correct += term.correct
      result.loss += Double(term.loss.scalar)
    }
    result.loss /= Double(max(result.count, 1))
    return result
  }

  /// The share of these tokens that are right where the best constant is answered.
  func majorityShare(_ source: any ExampleSource, batch size: Int) throws -> Double {
    var counts = [Int](repeating: 0, count: vocabulary)
    for first in stride(from: 0, to: source.count, by: size) {
      let examples = Array(first..<min(source.count, first + size))
      let batch = try makeBatch(source, examples: examples, towers: towers)
      if isMasked {
        forEachHidden(batch, 0) { counts[Int(batch.tokens[$0])] += 1 }
      } else {
        for (start, end) in zip(batch.offsets, batch.offsets.dropFirst()) {
          for token in batch.tokens[start..<end].dropFirst() { counts[Int(token)] += 1 }
        }
      }
    }
    let all = counts.reduce(0, +)
    guard isNumeric, all > 0 else { return Double(counts.max() ?? 0) / Double(max(all, 1)) }
    let reach = Int(Self.tolerance / 2 * Float(vocabulary - 2))
    let best = counts.indices.map { middle in
      counts[max(0, middle - reach)...min(vocabulary - 1, middle + reach)].reduce(0, +)
    }.max()
    return Double(best ?? 0) / Double(all)
  }
}
