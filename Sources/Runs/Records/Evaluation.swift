// SPDX-License-Identifier: Apache-2.0

import Base

/// Loss and accuracy over a split, with every example counted once.
package struct Evaluation: Codable, Sendable, Equatable {
  /// Examples.
  package var count: Int
  /// Right answers.
  package var correct: Int
  /// Mean cross-entropy, nats.
  package var loss: Double

  /// The result on `count` examples.
  package init(count: Int, correct: Int, loss: Double) {
    self.count = count
    self.correct = correct
    self.loss = loss
  }

  /// The share of right answers, in 0…1.
  package var accuracy: Double { Double(correct) / Double(max(count, 1)) }
  /// The standard error of the accuracy.
  package var error: Double { standardError(accuracy: accuracy, count: max(count, 1)) }
  /// The accuracy with its standard error for people, `35.9 % ± 1.1 %`.
  package var formattedAccuracy: String { "\(formatPercent(accuracy)) ± \(formatPercent(error))" }
}

extension Evaluation: CheckedValue {
  /// Checks that there are no more right answers than examples.
  package func check() throws(FieldFault) {
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
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(count, forKey: .count)
    try container.encode(correct, forKey: .correct)
    try container.encode(loss, forKey: .loss)
    try container.encode(accuracy, forKey: .accuracy)
    try container.encode(error, forKey: .accuracyStderr)
  }
}

extension Evaluation {
  /// Sums up answers; the order matters for the last digits of the loss.
  package init(_ predictions: [Prediction]) {
    count = predictions.count
    correct = predictions.count { $0.pred == $0.label }
    loss = predictions.reduce(0) { $0 + $1.loss } / Double(max(predictions.count, 1))
  }
}
