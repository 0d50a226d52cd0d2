// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import Tasks

/// What a model is trained towards: a loss of the rows that it makes of a batch.
///
/// An objective of classes takes the model's logits from the rows; one of tokens reads the rows
/// themselves. The gradient needs no code of its own, as the loss is made of operations that record
/// theirs. An objective with softened logits, say, which gives a model less reason to be sure of itself:
///
/// ```swift
/// struct SoftenedClassification: Objective {
///   /// Divides the logits, [C].
///   let temperatures: [Float]
///
///   func callAsFunction(
///     _ rows: EncodedSequences, of model: Classifier, _ batch: Batch, count: Int
///   ) -> ObjectiveTerm {
///     let scales = Tensor(shape: [temperatures.count], temperatures.map { 1 / $0 })
///     let logits = scaledColumns(model.logits(rows), scales: scales)
///     return Classification()(logits, batch, count: count)
///   }
/// }
/// ```
package protocol Objective {
  /// Whether it looks at what the mixers add to the residual stream.
  var observesMixers: Bool { get }

  /// Whether it looks at the answers of exits.
  var readsExits: Bool { get }

  /// What the model sees of some examples: all of them, unless something is hidden from it.
  ///
  /// - Parameters:
  ///   - batch: all of a step's batch or a part of it; the same is hidden of an example in both.
  ///   - step: of the optimizer, counted from 1; 0 for an evaluation.
  func input(_ batch: Batch, step: Int) -> Batch

  /// How many answers a batch asks for: its examples, unless they are others.
  func count(_ batch: Batch, step: Int) -> Int

  /// The loss of some examples in a step in which the layers learn apart from each other, for which the model does
  /// not encode them; nil in all other steps.
  ///
  /// - Parameters: as of ``callAsFunction(_:of:_:count:)``.
  ///   - mode: of the step.
  ///   - step: of the optimizer, counted from 1.
  func ofLayers(
    _ batch: Batch, of model: Classifier, _ mode: ForwardMode, step: Int, count: Int
  ) -> ObjectiveTerm?

  /// The loss of some examples as their share of a step's loss, so that the shares add up.
  ///
  /// - Parameters:
  ///   - rows: the hidden states of the B examples.
  ///   - model: what made them.
  ///   - batch: the B examples, all of the step's batch or a part of it.
  ///   - count: answers that the whole batch asks for, to divide sums over them by.
  func callAsFunction(
    _ rows: EncodedSequences, of model: Classifier, _ batch: Batch, count: Int
  ) -> ObjectiveTerm
}

extension Objective {
  /// The rows behind the last block are enough.
  package var observesMixers: Bool { false }
  /// The answer behind the last block is enough.
  package var readsExits: Bool { false }
  /// Nothing is hidden.
  package func input(_ batch: Batch, step: Int) -> Batch { batch }
  /// All layers learn together.
  package func ofLayers(
    _ batch: Batch, of model: Classifier, _ mode: ForwardMode, step: Int, count: Int
  ) -> ObjectiveTerm? { nil }
  /// Its examples.
  package func count(_ batch: Batch, step: Int) -> Int { batch.labels.count }
}

/// What an objective says of some examples.
package struct ObjectiveTerm {
  /// Their share of the step's loss, a scalar on the tape.
  package let loss: Tensor
  /// How many answers are right.
  package let correct: Int
  /// The model's answers, [B, C], where it was asked for classes.
  package let logits: Tensor?

  /// - Precondition: the loss has one element.
  package init(loss: Tensor, correct: Int, logits: Tensor? = nil) {
    precondition(loss.count == 1, "objective: the loss is of shape \(loss.shape), not a scalar")
    self.loss = loss
    self.correct = correct
    self.logits = logits
  }
}
