// SPDX-License-Identifier: Apache-2.0

import Models
import Runs
import Tasks

/// What a trained model makes of its attention and of distant tokens: error of its attention against
/// exact softmax attention, and accuracy where tokens outside a window are disturbed.
package struct Inspection: Codable, Sendable {
  /// The attention of one set of weights, beside its accuracy.
  package struct Attention: Codable, Sendable {
    /// `start`, `best` or `last`.
    package let weights: String
    /// ‖M - A‖/‖A‖ of each layer, see ``Models/AttentionProbe``; none where the variant is no
    /// approximation of softmax attention.
    package let errors: [Double]
    /// The accuracy.
    package let evaluation: Evaluation
    /// The accuracy with exact attention in place of the variant's; nil where there is none.
    package let exact: Evaluation?
  }

  /// The accuracy for one disturbance and window.
  package struct Locality: Codable, Sendable {
    /// What is done to the tokens outside the window.
    package let disturbance: String
    /// w, tokens.
    package let window: Int
    /// The accuracy.
    package let evaluation: Evaluation
  }

  /// In the order of training.
  package var attention: [Attention] = []
  /// By disturbance, smaller windows first.
  package var locality: [Locality] = []

  /// Nothing is known yet.
  package init() {}

  /// Adds the attention of a model's weights.
  ///
  /// - Parameter shouldStop: asked between batches.
  /// - Returns: whether it was worked out to the end.
  package mutating func addAttention(
    _ weights: String, _ model: Classifier, _ examples: InspectedExamples,
    shouldStop: () -> Bool
  ) throws -> Bool {
    let probe = AttentionProbe()
    guard
      let evaluation = try examples.evaluate(
        model, examples.source, .probing(probe), shouldStop)
    else { return false }
    var exact: Evaluation?
    if probe.errors.contains(where: { $0 > 0 }) {
      exact = try examples.evaluate(
        model, examples.source, .probing(AttentionProbe(substitutes: true)), shouldStop)
      guard exact != nil else { return false }
    }
    attention.append(
      Attention(weights: weights, errors: probe.errors, evaluation: evaluation, exact: exact))
    return true
  }

  /// Adds the accuracy of a model where tokens outside windows are disturbed.
  ///
  /// - Returns: whether it was worked out to the end.
  package mutating func addLocality(
    _ windows: [Int], _ model: Classifier, _ examples: InspectedExamples,
    shouldStop: () -> Bool
  ) throws -> Bool {
    for disturbance in Disturbance.allCases {
      for window in windows {
        let disturbed = DisturbedExamples(examples.source, disturbance, window: window)
        guard let result = try examples.evaluate(model, disturbed, .evaluation, shouldStop)
        else { return false }
        locality.append(
          Locality(disturbance: disturbance.rawValue, window: window, evaluation: result))
      }
    }
    return true
  }
}

/// The examples that a model is inspected on.
package struct InspectedExamples {
  /// The examples.
  package let source: any ExampleSource
  private let task: any ArenaTask
  private let batch: Int

  /// - Parameter batch: examples at once.
  package init(_ source: any ExampleSource, _ task: any ArenaTask, batch: Int) {
    self.source = source
    self.task = task
    self.batch = batch
  }

  fileprivate func evaluate(
    _ model: Classifier, _ source: any ExampleSource, _ mode: ForwardMode,
    _ shouldStop: () -> Bool
  ) throws -> Evaluation? {
    try Evaluator(model, task, batch: batch).run(source, mode: mode, shouldStop: shouldStop)
  }
}
