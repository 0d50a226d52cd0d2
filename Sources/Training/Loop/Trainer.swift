import Autodiff
import Base
import Foundation
import Models
import Tasks

/// The training loop's heart: one optimizer step after another, each a function of the state and
/// the step's number alone.
public final class Trainer {
  /// What one step did.
  public struct StepReport: Sendable {
    /// The objective's loss of the batch.
    public let loss: Double
    /// Right answers in the batch.
    public let correct: Int
    /// Examples in the batch.
    public let count: Int
    /// Real tokens in the batch.
    public let tokens: Int
    /// The learning rate.
    public let rate: Double
    /// The norm of the gradients before clipping.
    public let gradientNorm: Double
  }

  /// The model being trained.
  public let model: Classifier
  /// Its optimizer.
  public let optimizer: AdamW
  private var settings: TrainingSettings
  /// Whether the run has saved its state, for what is told when it fails.
  var hasCheckpoint = false
  private let objective: any Objective

  /// A trainer that has taken no step.
  ///
  /// - Parameters:
  ///   - model: what is trained, as it is.
  ///   - objective: what it is trained towards.
  public init(
    _ model: Classifier, _ settings: TrainingSettings,
    objective: any Objective = Classification()
  ) {
    self.model = model
    self.settings = settings
    self.objective = objective
    optimizer = AdamW(model.parameters, settings.optimizer)
  }

  /// Takes step number `step`, counted from 1.
  ///
  /// - Throws: `UserError(.failed)` if the loss or a gradient is not finite, naming the operation
  ///   that produced it. The weights are then still those of the step before.
  public func step(_ step: Int, _ batch: Batch) throws -> StepReport {
    let (loss, correct, updates) = forwardBackward(step, batch)
    let rate = settings.schedule.rate(atStep: step)
    guard loss.isFinite else { throw notFinite(step, batch, "the loss is \(loss)") }
    let norm = optimizer.update(
      rate: rate, beta1: settings.schedule.beta1(atStep: step) ?? settings.beta1)
    guard norm.isFinite else {
      throw notFinite(step, batch, "the norm of the gradients is \(norm)")
    }
    updates.commit()
    return StepReport(
      loss: loss, correct: correct, count: batch.labels.count, tokens: batch.tokens.count,
      rate: rate, gradientNorm: norm)
  }

  /// Follows another schedule from the next step on.
  func use(_ settings: TrainingSettings) { self.settings = settings }

  /// The time of a step, by doing all of it but the update, three times after one to warm up.
  ///
  /// Nothing of the model is changed: passes of training move running statistics and draw random
  /// rows, and these are put back.
  package func secondsPerStep(_ batch: Batch) -> Double {
    let arena = model.parameters.values
    let buffers = model.parameters.all.filter { $0.group == .buffer }
      .map { ($0.range, arena.values($0.range)) }
    defer {
      arena.clearGradients()
      for (range, values) in buffers { arena.fill(range, values) }
    }
    _ = forwardBackward(1, batch)
    let start = monotonicSeconds()
    for _ in 0..<3 { _ = forwardBackward(1, batch) }
    return (monotonicSeconds() - start) / 3
  }

  /// Adds up the gradients of all parts of the batch, and collects what they change in buffers.
  private func forwardBackward(
    _ step: Int, _ batch: Batch
  ) -> (loss: Double, correct: Int, updates: BufferUpdates) {
    let updates = BufferUpdates()
    var loss = 0.0
    var correct = 0
    for part in parts(of: batch) {
      let logits = model(
        part.batch.packed(capacity: model.configuration.length),
        .training(
          DropoutSeed(
            seed: settings.seed, step: step, sequencesBefore: part.firstSequence,
            tokensBefore: part.firstToken), updates: updates))
      let term = objective(logits, part.batch, count: batch.labels.count)
      correct += term.correct
      loss += Double(term.loss.scalar)
      term.loss.backward()
    }
    return (loss, correct, updates)
  }

  private func parts(of batch: Batch) -> [(batch: Batch, firstSequence: Int, firstToken: Int)] {
    if settings.accumulation == 1 { return [(batch, 0, 0)] }
    let (count, towers) = (batch.labels.count, model.configuration.towers)
    return (0..<settings.accumulation).compactMap { part in
      let examples =
        part * count / settings.accumulation..<(part + 1) * count / settings.accumulation
      if examples.isEmpty { return nil }
      let first = examples.lowerBound * towers
      return (batch[examples, towers: towers], first, batch.offsets[first])
    }
  }

  private func notFinite(_ step: Int, _ batch: Batch, _ what: String) -> UserError {
    model.parameters.values.clearGradients()
    let operation = FiniteCheck.shared.firstFailure { _ = forwardBackward(step, batch) }
    model.parameters.values.clearGradients()
    return UserError(
      .failed,
      "step \(step): \(what); the first operation with a non-finite result is "
        + "\(operation ?? "not found on a second run")",
      remedy: "lower the rate (--set train.learning-rate=...) or clip gradients "
        + "(--set train.clip=1)"
        + (hasCheckpoint ? "; the last checkpoint is from before this step" : ""))
  }
}

extension Batch {
  /// Some of the examples.
  fileprivate subscript(examples: Range<Int>, towers towers: Int) -> Batch {
    let first = examples.lowerBound * towers
    let last = examples.upperBound * towers
    let start = offsets[first]
    return Batch(
      tokens: Array(tokens[start..<offsets[last]]),
      offsets: offsets[first...last].map { $0 - start },
      labels: Array(labels[examples]), examples: Array(self.examples[examples]))
  }
}
