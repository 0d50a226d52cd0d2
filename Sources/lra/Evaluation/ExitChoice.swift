// SPDX-License-Identifier: Apache-2.0

import Base

/// What `lra evaluate --exit` asks for.
enum ExitChoice: Equatable {
  /// Nobody leaves early.
  case whole
  /// Every exit answers every example.
  case all
  /// Examples leave by the first exit that gives their likeliest class at least this probability.
  case confidence(Double)

  /// - Throws: `UserError(.usage)` for what is neither.
  init(_ text: String) throws {
    switch text {
    case "all": self = .all
    case "none": self = .whole
    default: self = .confidence(try Self.confidence(text))
    }
  }

  private static func confidence(_ text: String) throws -> Double {
    guard let confidence = Double(text), (0...1).contains(confidence) else {
      throw UserError(
        .usage,
        "--exit \(text): is no probability; an example leaves by the first exit that is as "
          + "sure of its class as that, not by an exit of that number",
        remedy:
          "give a number from 0 (all leave by the first exit) to 1, such as --exit 0.95, or --exit all for "
          + "the accuracy of each exit, or none for the whole model")
    }
    return confidence
  }
}
