// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Collective
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
  private let group: any Collective
  private let begin: (Int) -> Void

  /// - Parameters:
  ///   - batch: examples at once; the result does not depend on it.
  ///   - data: the data's content hash, for predictions that are kept.
  ///   - group: those who share the examples out; all evaluate the same split.
  ///   - begin: tells the others from which example on.
  package init(
    _ model: Classifier, _ task: any ArenaTask, batch: Int, data: String? = nil,
    group: any Collective = SingleProcess(), begin: @escaping (Int) -> Void = { _ in }
  ) {
    self.model = model
    self.task = task
    self.batch = batch
    self.data = data
    self.group = group
    self.begin = begin
  }

  /// Evaluates a whole split.
  ///
  /// - Parameters:
  ///   - source: the split.
  ///   - first: the example to begin with; the result is then that of the rest.
  ///   - mode: evaluation, or probing.
  ///   - confidence: where examples leave by exits, with what they have to be sure; nil where all go through the
  ///     whole model.
  ///   - visit: gets every prediction, in order.
  /// - Returns: nil if `shouldStop` answered true between two batches.
  package func run(
    _ source: any ExampleSource, from first: Int = 0, mode: ForwardMode = .evaluation,
    leavingAt confidence: Double? = nil, shouldStop: () -> Bool = { false },
    visit: (Prediction) throws -> Void = { _ in }
  ) throws -> Evaluation? {
    let tracked = model.parameters.tracksGradients
    model.parameters.tracksGradients = false
    defer { model.parameters.tracksGradients = tracked }
    var result = Evaluation(count: source.count - first, correct: 0, loss: 0)
    begin(first)
    for first in stride(from: first, to: source.count, by: batch * group.size) {
      if stops(shouldStop) { return nil }
      let answers = try answers(source, from: first, mode, leavingAt: confidence)
      for (i, id) in (first..<min(source.count, first + batch * group.size)).enumerated()
      where group.leads {
        let prediction = prediction(
          source, id, answers.logits, i, blocks: confidence.map { _ in answers.blocks[i] })
        result.correct += prediction.pred == prediction.label ? 1 : 0
        result.loss += prediction.loss
        try visit(prediction)
      }
    }
    result.loss /= Double(max(result.count, 1))
    return result
  }

  /// Whether the leader wants to stop.
  private func stops(_ shouldStop: () -> Bool) -> Bool {
    guard group.size > 1 else { return shouldStop() }
    return group.broadcast([group.leads && shouldStop() ? 1 : 0]) == [1]
  }

  /// The logits of a batch for each rank, one after the other; for the leader alone where there are
  /// several.
  private func answers(
    _ source: any ExampleSource, from first: Int, _ mode: ForwardMode,
    leavingAt confidence: Double?
  ) throws -> EarlyAnswers {
    let start = min(source.count, first + group.rank * batch)
    let examples = Array(start..<min(source.count, start + batch))
    let data = try makeBatch(source, examples: examples, towers: task.towers)
    // The profile is that of training steps.
    let input = data.packed(capacity: task.length)
    if let confidence {
      precondition(group.size == 1, "evaluator: exits of a group")
      return Profiler.shared.pausing { model.answers(input, leavingAt: confidence) }
    }
    let own = examples.isEmpty ? [] : Profiler.shared.pausing { model(input, mode).values }
    guard group.size > 1 else { return EarlyAnswers(logits: own) }
    return EarlyAnswers(
      logits: group.gather(own.withUnsafeBytes { Array($0) }).flatMap { bytes in
        bytes.withUnsafeBytes { Array($0.assumingMemoryBound(to: Float.self)) }
      })
  }

  /// Lets all exits answer all examples.
  ///
  /// - Returns: nil if `shouldStop` answered true between two batches.
  /// - Precondition: the model has exits, and no others share the examples.
  package func exits(
    _ source: any ExampleSource, shouldStop: () -> Bool = { false }
  ) throws -> ExitAnswers? {
    precondition(group.size == 1, "evaluator: exits of a group")
    let tracked = model.parameters.tracksGradients
    model.parameters.tracksGradients = false
    defer { model.parameters.tracksGradients = tracked }
    var answers = [[Prediction]](repeating: [], count: model.blockCount)
    for first in stride(from: 0, to: source.count, by: batch) {
      if shouldStop() { return nil }
      let examples = Array(first..<min(source.count, first + batch))
      let input = try makeBatch(source, examples: examples, towers: task.towers)
        .packed(capacity: task.length)
      let logits = Profiler.shared.pausing {
        let encoded = model.encode(input, exiting: true)
        return (encoded.exitLogits + [model.logits(encoded)]).map(\.values)
      }
      for (exit, values) in logits.enumerated() {
        answers[exit] += examples.enumerated().map { prediction(source, $1, values, $0) }
      }
    }
    return ExitAnswers(answers)
  }

  /// The answer to an example.
  ///
  /// - Parameters:
  ///   - logits: of several examples.
  ///   - place: the example's among them.
  private func prediction(
    _ source: any ExampleSource, _ id: Int, _ logits: [Float], _ place: Int, blocks: Int? = nil
  ) -> Prediction {
    let row = Array(logits[place * task.classes..<(place + 1) * task.classes])
    return Prediction(
      id: id, label: source.label(id), pred: largestIndex(row), logits: row, data: data,
      blocks: blocks)
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
  package func packed(capacity: Int) -> PackedTokens {
    PackedTokens(tokens: tokens, offsets: offsets, capacity: capacity)
  }
}
