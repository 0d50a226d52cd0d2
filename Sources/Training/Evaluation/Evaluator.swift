// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import Runs
import Tasks

/// Runs a model over splits without recording.
package struct Evaluator {
  private let model: Classifier
  private let task: any ArenaTask
  private let batch: Int
  private let data: String?

  /// - Parameters:
  ///   - batch: examples at once; the result does not depend on it.
  ///   - data: the data's content hash, for predictions that are kept.
  package init(
    _ model: Classifier, _ task: any ArenaTask, batch: Int, data: String? = nil
  ) {
    self.model = model
    self.task = task
    self.batch = batch
    self.data = data
  }

  /// Evaluates a whole split.
  ///
  /// - Parameters:
  ///   - source: the split.
  ///   - first: the example to begin with; the result is then that of the rest.
  ///   - visit: gets every prediction, in order.
  /// - Returns: nil if `shouldStop` answered true between two batches.
  package func run(
    _ source: any ExampleSource, from first: Int = 0, shouldStop: () -> Bool = { false },
    visit: (Prediction) throws -> Void = { _ in }
  ) throws -> Evaluation? {
    let tracked = model.parameters.tracksGradients
    model.parameters.tracksGradients = false
    defer { model.parameters.tracksGradients = tracked }
    var result = Evaluation(count: source.count - first, correct: 0, loss: 0)
    for first in stride(from: first, to: source.count, by: batch) {
      if shouldStop() { return nil }
      let examples = Array(first..<min(source.count, first + batch))
      let data = try makeBatch(source, examples: examples, towers: task.towers)
      // The profile is that of training steps.
      let logits = Profiler.shared.pausing { model(data.packed(capacity: task.length)).values }
      for (i, id) in examples.enumerated() {
        let row = Array(logits[i * task.classes..<(i + 1) * task.classes])
        let label = Int(data.labels[i])
        let prediction = Prediction(
          id: id, label: label, pred: largestIndex(row), logits: row,
          data: self.data)
        result.correct += prediction.pred == label ? 1 : 0
        result.loss += prediction.loss
        try visit(prediction)
      }
    }
    result.loss /= Double(max(result.count, 1))
    return result
  }

  /// Seconds of evaluating one example, from the last batches of a split, after one that is not
  /// timed.
  func secondsPerExample(_ source: any ExampleSource, batches: Int = 3) throws -> Double {
    let first = max(0, source.count - batch * batches)
    _ = try run(source, from: max(first, source.count - batch))
    let start = monotonicSeconds()
    _ = try run(source, from: first)
    return (monotonicSeconds() - start) / Double(max(source.count - first, 1))
  }
}

/// The first place of the largest value.
func largestIndex(_ values: [Float]) -> Int {
  values.indices.dropFirst().reduce(0) { values[$1] > values[$0] ? $1 : $0 }
}

extension Batch {
  /// As a model takes it.
  func packed(capacity: Int) -> PackedTokens {
    PackedTokens(tokens: tokens, offsets: offsets, capacity: capacity)
  }
}
