// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import Tasks

/// An objective whose model has exits: they learn the labels and the answers of the last one.
///
/// ```
/// loss = Σᵢ wᵢ·Lᵢ      wᵢ = i/Σⱼ j      Lₙ = the objective of the whole model
/// Lᵢ = (cross-entropy + T²·KL(softmax(zₙ/T) ‖ softmax(zᵢ/T)))/2      T = 3, for i < n
/// ```
/// zᵢ are the logits behind block i, from 1; those of the last block are constants to the others.
///
/// Source: weights: Zhou et al., "BERT Loses Patience" (2020), arXiv 2006.04152; the last as the teacher of the
/// others: Liu et al., "FastBERT" (2020), arXiv 2004.02178.
/// Differs: FastBERT trains the exits alone, by KL alone.
package struct ExitTraining: Objective {
  /// T.
  private static let temperature: Float = 3
  private let whole: any Objective
  private let labels: Classification

  /// - Parameters:
  ///   - whole: what the whole model is trained towards.
  ///   - labelSmoothing: of the exits' labels.
  package init(_ whole: any Objective, labelSmoothing: Double = 0) {
    self.whole = whole
    labels = Classification(labelSmoothing: labelSmoothing)
  }

  package var observesMixers: Bool { whole.observesMixers }
  package var readsExits: Bool { true }
  package func input(_ batch: Batch, step: Int) -> Batch { whole.input(batch, step: step) }
  package func count(_ batch: Batch, step: Int) -> Int { whole.count(batch, step: step) }

  package func ofLayers(
    _ batch: Batch, of model: Classifier, _ mode: ForwardMode, step: Int, count: Int
  ) -> ObjectiveTerm? { whole.ofLayers(batch, of: model, mode, step: step, count: count) }

  package func callAsFunction(
    _ rows: EncodedSequences, of model: Classifier, _ batch: Batch, count: Int
  ) -> ObjectiveTerm {
    let last = whole(rows, of: model, batch, count: count)
    guard let answers = last.logits else {
      preconditionFailure("exits: the objective of the whole model has no logits")
    }
    let depth = rows.exitLogits.count + 1
    let sum = Float(depth * (depth + 1) / 2)
    let loss = rows.exitLogits.enumerated().reduce(scaled(last.loss, by: Float(depth) / sum)) {
      let (place, logits) = $1
      let both = elementwise(
        .sum, labels(logits, batch, count: count).loss,
        divergence(logits, from: answers, temperature: Self.temperature, count: count))
      return elementwise(.sum, $0, scaled(both, by: Float(place + 1) / (2 * sum)))
    }
    return ObjectiveTerm(loss: loss, correct: last.correct, logits: answers)
  }
}
