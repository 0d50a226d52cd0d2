// SPDX-License-Identifier: Apache-2.0

/// What a ladder makes smaller.
package enum LadderGoal: String, Codable, CaseIterable, Sendable {
  /// Bytes of the file of weights.
  case file
  /// Seconds of the answer to one example.
  case latency
  /// Seconds of training, of all models that the row needs.
  case trainTime = "train-time"
  /// The most main memory of a training, bytes.
  case trainMemory = "train-memory"
  /// Joules of training, of all models that the row needs.
  case energy
}
