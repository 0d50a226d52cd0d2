// SPDX-License-Identifier: Apache-2.0

/// How narrow the maps of a model are, by the rule of Greenformers: two factors for a map where they have
/// fewer values than it.
package enum RankChoice: Sendable, Equatable {
  /// All maps as they are.
  case dense
  /// One rank for all maps.
  case rank(Int)
  /// Of each map this share of the rank at which two factors would save nothing.
  case share(Double)

  /// The rank at which two factors of a map have as many values as the map.
  package static func limit(_ inputs: Int, _ outputs: Int) -> Double {
    Double(inputs * outputs) / Double(inputs + outputs)
  }

  /// The rank of a map; nil where it stays dense.
  package func rank(_ inputs: Int, _ outputs: Int) -> Int? {
    let limit = Self.limit(inputs, outputs)
    let rank: Int
    switch self {
    case .dense: return nil
    case .rank(let all): rank = all
    case .share(let share): rank = max(1, Int(share * limit))
    }
    return rank < Int(limit) ? rank : nil
  }

  /// Values of a map's weight, one factor or two; its bias is not among them.
  package func values(_ inputs: Int, _ outputs: Int) -> Int {
    rank(inputs, outputs).map { $0 * (inputs + outputs) } ?? inputs * outputs
  }
}
