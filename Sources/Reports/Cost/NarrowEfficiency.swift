// SPDX-License-Identifier: Apache-2.0

import Base

/// η, the speed of narrow products relative to that of dense ones: how much of the operations that narrow
/// maps save becomes time.
package enum NarrowEfficiency: Sendable, Equatable {
  /// One for all ranks, as the user says.
  case given(Double)
  /// One for all ranks, without a measurement.
  case assumed(Double)
  /// By rank, as measured on this machine; at least one, in ascending order.
  case measured([Measurement], source: String)

  /// η of a rank.
  package struct Measurement: Sendable, Equatable {
    /// r.
    package let rank: Int
    /// η.
    package let efficiency: Double

    package init(rank: Int, efficiency: Double) {
      (self.rank, self.efficiency) = (rank, efficiency)
    }
  }

  /// What is assumed without a measurement: the middle of what the timings of Greenformers' toolkit imply.
  package static let usual = Self.assumed(0.55)

  /// η of a rank; between two measured ones interpolated, beyond them that of the nearest.
  package func callAsFunction(_ rank: Int) -> Double {
    switch self {
    case .given(let value), .assumed(let value): return value
    case .measured(let all, _):
      guard let first = all.first, let last = all.last else { return 1 }
      if rank <= first.rank { return first.efficiency }
      for (low, high) in zip(all, all.dropFirst()) where rank <= high.rank {
        let share = Double(rank - low.rank) / Double(high.rank - low.rank)
        return low.efficiency + share * (high.efficiency - low.efficiency)
      }
      return last.efficiency
    }
  }

  /// Where it comes from, in words.
  package var words: String {
    switch self {
    case .given(let value): "narrow products reach \(value) of the speed of dense ones, as given"
    case .assumed(let value):
      "narrow products reach \(value) of the speed of dense ones; not measured on this machine, which "
        + "lra report greenformers does"
    case .measured(let all, let source):
      "narrow products reach "
        + all.map { "\(formatNumber("%.2f", $0.efficiency)) (r \($0.rank))" }
        .joined(separator: ", ")
        + " of the speed of dense ones, measured on this machine: \(source)"
    }
  }
}
