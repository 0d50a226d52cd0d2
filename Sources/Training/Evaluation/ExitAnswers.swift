// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Runs
import Tasks

/// The answers of all exits of a model to all examples of a split, and so what leaving early would do.
package struct ExitAnswers: Sendable {
  /// The answers behind each exit, in the order of the blocks, the whole model's last.
  package private(set) var predictions: [[Prediction]]

  /// What leaving at a confidence does.
  package struct Outcome: Sendable, Equatable {
    /// θ, the least probability of the likeliest class with which an example leaves.
    package let confidence: Double
    /// The examples' answers together.
    package let evaluation: Evaluation
    /// The mean number of blocks that an example goes through.
    package let meanBlocks: Double
  }

  /// - Parameter predictions: of each exit, of the same examples.
  init(_ predictions: [[Prediction]]) { self.predictions = predictions }

  /// Loss and accuracy of each exit on all examples.
  package var evaluations: [Evaluation] { predictions.map { Evaluation($0) } }

  /// What comes out where each example leaves by the first exit that is as sure as that.
  package func outcome(leavingAt confidence: Double) -> Outcome {
    let answers = predictions[0].indices.map { example in
      let exit = predictions.dropLast().firstIndex { $0[example].confidence >= confidence }
      return (exit ?? predictions.count - 1, example)
    }
    let blocks = answers.reduce(0) { $0 + $1.0 + 1 }
    return Outcome(
      confidence: confidence, evaluation: Evaluation(answers.map { predictions[$0.0][$0.1] }),
      meanBlocks: Double(blocks) / Double(max(answers.count, 1)))
  }

  /// Confidences to choose from.
  package static let confidences = (2...19).map { Double($0) / 20 } + [0.98, 0.99, 0.995, 0.999]

  /// How good all exits are together, as training weighs them: Σ i·accuracyᵢ/Σ i.
  var score: Double {
    let accuracies = evaluations.map(\.accuracy)
    let weights = accuracies.indices.map { Double($0 + 1) }
    return zip(weights, accuracies).reduce(0) { $0 + $1.0 * $1.1 } / weights.reduce(0, +)
  }
}

extension Prediction {
  /// The probability of the answer.
  package var confidence: Double { largestProbability(logits[...]) }
}
