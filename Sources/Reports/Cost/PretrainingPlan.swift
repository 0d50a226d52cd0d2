// SPDX-License-Identifier: Apache-2.0

/// The sequences of a pretraining, in phases of different lengths.
package struct PretrainingPlan: Sendable, Equatable {
  /// Steps with sequences of one length.
  package struct Phase: Sendable, Equatable {
    /// The share of all steps.
    package let share: Double
    /// L.
    package let length: Int
    /// Tokens of a sequence that are predicted.
    package let predicted: Int
  }

  /// Optimizer steps.
  package let steps: Int
  /// Sequences a step.
  package let batch: Int
  /// The phases.
  package let phases: [Phase]

  /// BERT's: a million steps of 256 sequences, nine tenths of 128 tokens, the rest of 512.
  package static let bert = PretrainingPlan(
    steps: 1_000_000, batch: 256,
    phases: [
      Phase(share: 0.9, length: 128, predicted: 20), Phase(share: 0.1, length: 512, predicted: 76),
    ])

  /// Tokens of a phase.
  package func tokens(_ phase: Phase) -> Double {
    Double(steps) * Double(batch) * phase.share * Double(phase.length)
  }

  /// Operations of all steps, three times those of the forward pass.
  package func flops(_ shape: EncoderShape, _ ranks: RankChoice) -> Double {
    3
      * phases.reduce(0) {
        $0 + tokens($1)
          * shape.flopsPerToken(ranks, length: $1.length, predicted: $1.predicted)
      }
  }

  /// The share of the dense model's operations that are in the linear maps of its blocks.
  package func mapShare(_ shape: EncoderShape) -> Double {
    3 * phases.reduce(0) { $0 + tokens($1) } * shape.mapFlops(.dense) / flops(shape, .dense)
  }
}
