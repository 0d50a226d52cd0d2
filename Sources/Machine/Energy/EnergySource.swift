// SPDX-License-Identifier: Apache-2.0

/// Where a figure of energy comes from: the word that stands beside each.
package enum EnergySource: String, Codable, Sendable, CaseIterable {
  /// Nothing is known of it.
  case none
  /// Estimated from the processor's thermal power and the time; see `PowerModel`.
  case model
  /// Measured by the processor's counters; see `EnergyCounter`.
  case rapl

  /// How far its figures may be off, as factors.
  var factors: ClosedRange<Double> {
    switch self {
    case .rapl: 0.95...1.05
    case .model: 0.5...1.5
    case .none: 1...1
    }
  }
}
