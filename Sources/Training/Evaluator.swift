import Autodiff
import Base
import Foundation
import Models
import Tasks

/// Loss and accuracy over a split, with every example counted once.
public struct Evaluation: Codable, Sendable, Equatable {
  /// Examples.
  public var count: Int
  /// Right answers.
  public var correct: Int
  /// Mean cross-entropy, nats.
  public var loss: Double
  /// The share of right answers, in 0…1.
  public var accuracy: Double { Double(correct) / Double(max(count, 1)) }
  /// The standard error of the accuracy.
  public var error: Double { standardError(accuracy: accuracy, count: max(count, 1)) }
  /// The accuracy with its standard error for people, `35.9 % ± 1.1 %`.
  public var formattedAccuracy: String { "\(formatPercent(accuracy)) ± \(formatPercent(error))" }
}

extension Evaluation: CheckedValue {
  /// Checks that there are no more right answers than examples.
  public func check() throws(FieldFault) {
    try FieldRange.count.check(["count": count, "correct": correct])
    try FieldRange.number.check(["loss": loss])
    guard correct <= count else {
      throw FieldFault("correct is \(correct), more than count, \(count)")
    }
  }
}

extension Evaluation {
  private enum Keys: String, CodingKey { case count, correct, loss, accuracy, accuracyStderr }

  /// Writes the accuracy and its standard error too, for readers that do not count.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(count, forKey: .count)
    try container.encode(correct, forKey: .correct)
    try container.encode(loss, forKey: .loss)
    try container.encode(accuracy, forKey: .accuracy)
    try container.encode(error, forKey: .accuracyStderr)
  }
}

/// A model's answer to one example.
public struct Prediction: Codable, Sendable {
  /// The example's place in the split.
  public let id: Int
  /// The right class.
  public let label: Int
  /// The class with the largest score.
  public let pred: Int
  /// The scores.
  public let logits: [Float]
  /// The content hash of the data that the example is of; nil in files from before it was kept.
  public var data: String?

  /// The cross-entropy of the right class, nats.
  public var loss: Double {
    let high = Double(logits.max() ?? 0)
    let sum = logits.reduce(0.0) { $0 + exp(Double($1) - high) }
    return log(sum) + high - Double(logits[label])
  }
}

extension Prediction: CheckedValue {
  /// The most classes that a task may have.
  private static let mostClasses = 256

  /// Checks that both classes are ones that have a score.
  public func check() throws(FieldFault) {
    try FieldRange.count.check(["id": id])
    guard logits.count <= Self.mostClasses else {
      throw FieldFault("logits has \(logits.count) scores, more than \(Self.mostClasses)")
    }
    guard logits.allSatisfy(\.isFinite) else { throw FieldFault("logits holds what is no number") }
    for (name, place) in [("label", label), ("pred", pred)] where !logits.indices.contains(place) {
      throw FieldFault("\(name) is \(place), but there are \(logits.count) scores")
    }
  }
}

extension Evaluation {
  /// Sums up answers; the order matters for the last digits of the loss.
  public init(_ predictions: [Prediction]) {
    count = predictions.count
    correct = predictions.count { $0.pred == $0.label }
    loss = predictions.reduce(0) { $0 + $1.loss } / Double(max(predictions.count, 1))
  }
}

/// Runs a model over splits without recording.
public struct Evaluator {
  private let model: Classifier
  private let task: any ArenaTask
  private let batch: Int
  private let data: String?

  /// - Parameters:
  ///   - batch: examples at once; the result does not depend on it.
  ///   - data: the data's content hash, for predictions that are kept.
  public init(
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
  public func run(
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
      // The meter's account is that of training steps.
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
