// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

extension Classifier {
  /// The dense linear maps of the blocks.
  package var denseMaps: [MapShape] { parameters.maps.filter { $0.rank == nil } }

  /// A dense map taken apart.
  ///
  /// - Parameter covariance: Σ x·xᵀ of the rows that it takes; nil for the plain decomposition.
  /// - Precondition: it is one of ``denseMaps``.
  package func factors(of map: MapShape, covariance: [Double]? = nil) -> NarrowFactors {
    guard let weight = parameters["\(map.path).weight"] else {
      preconditionFailure("factorised: no dense map \(map.path)")
    }
    return NarrowFactors(
      weight.values, rows: map.outputs, columns: map.inputs, covariance: covariance)
  }

  /// This model with some of its linear maps replaced by products of two narrow ones, to be used as it
  /// is or trained further.
  ///
  /// - Parameters:
  ///   - ranks: of the maps to replace, by their paths.
  ///   - factors: of these maps.
  /// - Returns: a model with weights of its own.
  /// - Throws: `UserError` for a map that there is not, or a rank that saves nothing.
  /// - Complexity: that of copying the weights; ``factors(of:covariance:)`` takes the maps apart.
  ///
  /// Source: Cahyawijaya, "Greenformers" (2021), arXiv 2108.10808.
  package func factorised(
    _ ranks: [String: Int], _ factors: (MapShape) -> NarrowFactors
  ) throws -> Classifier {
    var narrow = configuration
    narrow.settings.ranks = try configuration.mapRanks().merging(ranks) { $1 }.text
    let result = try Classifier(narrow, seed: 0, precision: precision)
    for target in result.parameters.all {
      if let own = parameters[target.name] {
        result.parameters.values.fill(target.range, own.values)
      }
    }
    for map in denseMaps {
      guard let rank = ranks[map.path],
        let reduce = result.parameters["\(map.path).reduce.weight"],
        let expand = result.parameters["\(map.path).expand.weight"]
      else { continue }
      let factors = factors(map).factors(rank: rank)
      result.parameters.values.fill(reduce.range, factors.reduce)
      result.parameters.values.fill(expand.range, factors.expand)
    }
    return result
  }
}
