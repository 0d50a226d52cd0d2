// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// A model's answer to one example.
package struct Prediction: Codable, Sendable {
  /// The example's place in the split.
  package let id: Int
  /// The right class.
  package let label: Int
  /// The class with the largest score.
  package let pred: Int
  /// The scores.
  package let logits: [Float]
  /// The content hash of the data that the example is of; nil in files from before it was kept.
  package var data: String?
  /// The blocks that it took, where examples leave by exits.
  package var blocks: Int?

  /// The answer to an example; `pred` must be the first place of the largest of the logits.
  package init(id: Int, label: Int, pred: Int, logits: [Float], data: String?, blocks: Int? = nil) {
    self.id = id
    self.label = label
    self.pred = pred
    self.logits = logits
    self.data = data
    self.blocks = blocks
  }

  /// The cross-entropy of the right class, nats.
  package var loss: Double { logSum - Double(logits[label]) }

  /// The logarithm of the probability that each class was given.
  package var logProbabilities: [Double] {
    let logSum = logSum
    return logits.map { Double($0) - logSum }
  }

  /// log ∑ exp of the scores.
  private var logSum: Double {
    let high = Double(logits.max() ?? 0)
    return log(logits.reduce(0.0) { $0 + exp(Double($1) - high) }) + high
  }
}

extension Prediction: CheckedValue {
  /// The most classes that a task may have.
  private static let mostClasses = 256

  /// Checks that both classes are ones that have a score.
  package func check() throws(FieldFault) {
    try FieldRange.count.check(["id": id, "blocks": blocks])
    guard logits.count <= Self.mostClasses else {
      throw FieldFault("logits has \(logits.count) scores, more than \(Self.mostClasses)")
    }
    guard logits.allSatisfy(\.isFinite) else { throw FieldFault("logits holds what is no number") }
    for (name, place) in [("label", label), ("pred", pred)] where !logits.indices.contains(place) {
      throw FieldFault("\(name) is \(place), but there are \(logits.count) scores")
    }
  }
}
