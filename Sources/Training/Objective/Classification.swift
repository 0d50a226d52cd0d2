// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import Tasks

/// Classification: the mean cross-entropy of the labels.
package struct Classification: Objective {
  private let labelSmoothing: Double

  /// - Parameter labelSmoothing: the share of a label's weight that all classes have alike.
  package init(labelSmoothing: Double = 0) { self.labelSmoothing = labelSmoothing }

  /// The cross-entropy of the labels, divided by `count`, and how many have the largest logit.
  package func callAsFunction(
    _ rows: EncodedSequences, of model: Classifier, _ batch: Batch, count: Int
  ) -> ObjectiveTerm {
    self(model.logits(rows), batch, count: count)
  }

  /// The same of logits, [B, C].
  package func callAsFunction(_ logits: Tensor, _ batch: Batch, count: Int) -> ObjectiveTerm {
    ObjectiveTerm(
      loss: crossEntropy(
        logits, labels: batch.labels, count: count, smoothing: Float(labelSmoothing)),
      correct: countCorrect(logits.values, batch.labels), logits: logits)
  }
}

/// How many rows of logits have their largest at the label.
func countCorrect(_ logits: [Float], _ labels: [Int32]) -> Int {
  let classes = logits.count / max(labels.count, 1)
  return labels.indices.reduce(0) { count, i in
    let row = Array(logits[i * classes..<(i + 1) * classes])
    return count + (largestIndex(row) == Int(labels[i]) ? 1 : 0)
  }
}
