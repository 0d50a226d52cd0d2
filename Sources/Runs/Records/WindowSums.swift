// SPDX-License-Identifier: Apache-2.0

/// Sums over the steps since the last record in the log.
package struct WindowSums: Codable, Sendable, Equatable {
  package var loss = 0.0
  package var correct = 0
  package var count = 0
  package var tokens = 0
  package var seconds = 0.0
  package var steps = 0

  /// Nothing yet.
  package init() {}

  /// Mean loss of the steps, nats.
  package var meanLoss: Double { loss / Double(max(steps, 1)) }
  /// Accuracy over their examples, in 0…1.
  package var accuracy: Double { Double(correct) / Double(max(count, 1)) }
}
