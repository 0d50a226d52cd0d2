// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// What users see of a variant: the text of `lra list` and `lra explain`.
package struct VariantDescription: Sendable {
  /// The name on the command line.
  package let name: String
  /// Authors and title of the paper.
  package let paper: String
  /// When it appeared.
  package let year: Int
  /// Its number there, as `1706.03762`.
  package let arXiv: String
  /// The growth of time and memory with the length.
  package let cost: Cost
  /// One sentence.
  package let summary: String
  /// What it has of the parts that settings of all models are about; the others have no effect.
  package var parts: Set<Part> = [.heads, .droppedWeights, .projections]
  /// Where we depart from the paper, and where known code departs from it, one sentence each.
  package let deviations: [String]

  /// Stands for the number of a paper that there is not yet.
  package static let unpublished = "0000.00000"
  /// Whether this is a draft, as `lra new model` writes one.
  ///
  /// The documents and the record of costs need not have it; one that is to stay gets its paper's number.
  package var isDraft: Bool { arXiv == Self.unpublished }

  /// What not all models have, though settings of all are about it.
  package enum Part: Sendable {
    /// `model.heads` and `model.head-width`.
    case heads
    /// Attention weights that `model.attention-dropout` could drop.
    case droppedWeights
    /// Projections of queries, keys and values, which `model.tie-qk` and `model.tie-kv` could tie.
    case projections
    /// Poles and time steps that `train.recurrence-rate` could slow down.
    case recurrence
  }

  /// How the operations of a step grow with the length L.
  package enum Cost: String, Sendable, Codable {
    /// In proportion.
    case linear = "O(L)"
    /// Nearly in proportion.
    case linearithmic = "O(L log L)"
    /// With a power of one and a half.
    case rootTimesLinear = "O(L√L)"
    /// With the square.
    case quadratic = "O(L²)"
  }
}
