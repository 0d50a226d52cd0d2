// SPDX-License-Identifier: Apache-2.0

import Base

/// A training whose time and power were published.
package struct PublishedTraining: Sendable, Equatable {
  /// Kilograms of a pound.
  package static let kilogramsOfPound = 0.45359237

  /// The processors' name.
  package let processor: String
  /// How many there were.
  package let processors: Int
  /// Watts of all of them with their hosts.
  package let watts: Double
  /// Hours.
  package let hours: Double
  /// Where it was published.
  package let source: String

  /// BERT-base.
  package static let bertBase = PublishedTraining(
    processor: "V100", processors: 64, watts: 12_041.51, hours: 79.2,
    source: "Strubell et al. (2019), arXiv 1906.02243, table 3")

  /// Hours of one processor.
  package var processorHours: Double { Double(processors) * hours }

  /// Watts of one processor with its part of the host.
  package var processorWatts: Double { watts / Double(processors) }
}
