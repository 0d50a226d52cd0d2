// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Collective
import Foundation
import Models
import Tasks

/// The training loop's heart: one optimizer step after another, each a function of the state and
/// the step's number alone.
package final class Trainer {
  /// What one step did.
  package struct StepReport: Sendable {
    /// The objective's loss of the batch.
    package let loss: Double
    /// Right answers in the batch.
    package let correct: Int
    /// Answers that the batch asks for: one for each example, or those of an objective of tokens.
    package let count: Int
    /// Examples in the batch.
    package let examples: Int
    /// Real tokens in the batch.
    package let tokens: Int
    /// The learning rate.
    package let rate: Double
    /// The norm of the gradients before clipping.
    package let gradientNorm: Double
  }

  /// The model being trained.
  package let model: Classifier
  /// Its optimizer.
  package let optimizer: AdamW
  private var settings: TrainingSettings
  /// Whether the run has saved its state, for what is told when it fails.
  var hasCheckpoint = false
  private let objective: any Objective
  /// What it removes of the model, if anything.
  let pruning: GradualPruning?
  private let group: any Collective

  /// A trainer that has taken no step.
  ///
  /// - Parameters:
  ///   - model: what is trained, as it is.
  ///   - objective: what it is trained towards; classification unless said otherwise.
  ///   - pruning: what removes weights of the model.
  ///   - group: those who share the batch's shards; all take the same steps.
  package init(
    _ model: Classifier, _ settings: TrainingSettings,
    objective: (any Objective)? = nil, pruning: GradualPruning? = nil,
    group: any Collective = SingleProcess()
  ) {
    self.model = model
    self.settings = settings
    self.group = group
    self.pruning = pruning
    self.objective = objective ?? Classification(labelSmoothing: settings.labelSmoothing)
    optimizer = AdamW(model.parameters, settings.optimizer)
  }

  /// Takes step number `step`, counted from 1.
  ///
  /// - Throws: `UserError(.failed)` if the loss or a gradient is not finite, naming the operation
  ///   that produced it. The weights are then still those of the step before.
  package func step(_ step: Int, _ batch: Batch) throws -> StepReport {
    let sums = forwardBackward(step, batch)
    let rate = settings.schedule.rate(atStep: step)
    guard sums.loss.isFinite else {
      throw notFinite(step, batch, "the loss is \(sums.loss)")
    }
    pruning?.willUpdate()
    let norm = optimizer.update(
      rate: rate, beta1: settings.schedule.beta1(atStep: step) ?? settings.beta1)
    guard norm.isFinite else {
      throw notFinite(step, batch, "the norm of the gradients is \(norm)")
    }
    sums.updates.commit(passes: settings.cut.partCount)
    pruning?.didUpdate(step: step, optimizer)
    return StepReport(
      loss: sums.loss, correct: sums.correct, count: objective.count(batch, step: step),
      examples: batch.labels.count, tokens: batch.tokens.count,
      rate: rate, gradientNorm: norm)
  }

  /// Follows another schedule from the next step on.
  func use(_ settings: TrainingSettings) { self.settings = settings }

  /// The time of a step, by doing all of it but the update, three times after one to warm up.
  ///
  /// Nothing of the model is changed.
  package func secondsPerStep(_ batch: Batch) -> Double {
    defer { model.parameters.values.clearGradients() }
    _ = forwardBackward(1, batch)
    let start = monotonicSeconds()
    for _ in 0..<3 { _ = forwardBackward(1, batch) }
    return (monotonicSeconds() - start) / 3
  }

  /// What passes over some examples add up, beside their gradients.
  private struct Sums {
    var loss: Double
    var correct: Int
    let updates: BufferUpdates

    static func + (a: Sums, b: Sums) -> Sums {
      Sums(loss: a.loss + b.loss, correct: a.correct + b.correct, updates: a.updates + b.updates)
    }
  }

  /// Adds up the gradients of the whole batch, and what passes change in buffers.
  private func forwardBackward(_ step: Int, _ batch: Batch) -> Sums {
    let (arena, cut) = (model.parameters.values, settings.cut)
    let shards = cut.shards(of: group.rank, ranks: group.size)
    let count = objective.count(batch, step: step)
    let sums = arena.pairwiseSum(shards, adding: +) { shard in
      let parts = cut.parts(of: shard, batch, towers: model.configuration.towers)
      return parts.dropFirst().reduce(pass(step, parts[0], of: count)) {
        $0 + pass(step, $1, of: count)
      }
    }
    return group.size == 1 ? sums : sumOverRanks(sums)
  }

  /// Goes on with the tree above the ranks' own shards.
  private func sumOverRanks(_ own: Sums) -> Sums {
    model.parameters.values.withGradients { group.sum($0) }
    own.updates.withSums { group.sum($0) }
    var both = [own.loss, Double(own.correct)]
    both.withUnsafeMutableBufferPointer { group.sum($0) }
    return Sums(loss: both[0], correct: Int(both[1]), updates: own.updates)
  }

  /// One pass over a part of the batch, whose gradients are added to those that are there.
  private func pass(_ step: Int, _ part: BatchPart, of count: Int) -> Sums {
    let updates = BufferUpdates()
    let seed = DropoutSeed(
      seed: settings.seed, step: step, sequencesBefore: part.firstSequence,
      tokensBefore: part.firstToken)
    let mode = ForwardMode.training(seed, updates: updates)
    let alone = objective.ofLayers(part.batch, of: model, mode, step: step, count: count)
    let term = alone ?? together(step, part.batch, of: count, mode)
    term.loss.backward()
    return Sums(loss: Double(term.loss.scalar), correct: term.correct, updates: updates)
  }

  /// The loss of the rows that the model makes of a part of the batch.
  private func together(_ step: Int, _ batch: Batch, of count: Int, _ mode: ForwardMode)
    -> ObjectiveTerm
  {
    let rows = model.encode(
      objective.input(batch, step: step).packed(capacity: model.configuration.length), mode,
      observing: objective.observesMixers, exiting: objective.readsExits)
    return objective(rows, of: model, batch, count: count)
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
