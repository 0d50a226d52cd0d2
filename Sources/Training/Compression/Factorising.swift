// SPDX-License-Identifier: Apache-2.0

import Base
import Models

/// Linear maps as products of two narrow ones, with ranks by a rule.
package struct Factorising: Sendable {
  /// Of the ranks.
  package let rule: RankRule
  /// Whether the error is that of the outputs for what the maps really take, not that of the matrices.
  package let isDataAware: Bool
  private let text: String

  /// - Parameter text: the rule, as `rank=8`.
  /// - Throws: `UserError(.usage)` that says what is allowed.
  package init(_ text: String, isDataAware: Bool) throws {
    rule = try RankRule(text)
    self.text = text
    self.isDataAware = isDataAware
  }

  /// As the notes of a run have it.
  var numbers: String { "factorise \(text)" + (isDataAware ? " data-aware" : "") }

  /// What becomes of one map.
  package struct Choice: Encodable {
    /// The map.
    package let path: String
    /// Rows and columns of W.
    package let outputs: Int
    package let inputs: Int
    /// The rank from which on nothing is saved.
    package let limit: Int
    /// r; nil where it stays dense.
    package let rank: Int?
    /// The share of Σσ² that r keeps.
    package let energy: Double
  }

  /// Checks that there is a map that could become narrow.
  ///
  /// - Throws: `UserError(.usage)`.
  static func check(_ model: Classifier) throws {
    guard model.denseMaps.isEmpty else { return }
    throw UserError(
      .usage, "--factorise: all maps of this \(model.configuration.name) are narrow already",
      remedy: "lra compress --dry-run shows where its bytes are")
  }

  /// The model with narrow maps.
  ///
  /// Data-aware, blocks are taken apart from the first to the last, each for the rows that the narrow
  /// blocks before it make.
  ///
  /// - Throws: `UserError` where no map can become smaller.
  func factorise(
    _ model: Classifier, _ examples: Calibration?
  ) throws -> (model: Classifier, choices: [Choice]) {
    try Self.check(model)
    let maps = model.denseMaps
    let covariances = try examples.map { try Self.covariances(of: model, $0) { _ in true } } ?? [:]
    var factors: [String: NarrowFactors] = [:]
    for map in maps {
      factors[map.path] = model.factors(of: map, covariance: covariances[map.path])
    }
    let spectra = maps.map { (map: $0, energies: factors[$0.path]?.energies ?? []) }
    let all = model.parameters.all.reduce(0) { $0 + $1.count }
    let ranks = try rule.ranks(
      spectra, others: all - maps.reduce(0) { $0 + $1.inputs * $1.outputs })
    let choices = spectra.map { map, energies in
      let sum = max(energies.reduce(0, +), .leastNormalMagnitude)
      let rank = ranks[map.path]
      return Choice(
        path: map.path, outputs: map.outputs, inputs: map.inputs, limit: map.limit, rank: rank,
        energy: energies.prefix(rank ?? energies.count).reduce(0, +) / sum)
    }
    guard let examples else {
      return (try model.factorised(ranks) { factors[$0.path] ?? model.factors(of: $0) }, choices)
    }
    return (try blockwise(model, ranks, examples), choices)
  }

  private func blockwise(
    _ model: Classifier, _ ranks: [String: Int], _ examples: Calibration
  ) throws -> Classifier {
    // Blocks in their order; of blocks that share weights one stands for all.
    var blocks: [Substring] = []
    for map in model.denseMaps {
      let block = Self.block(of: map.path)
      if !blocks.contains(block) { blocks.append(block) }
    }
    return try blocks.reduce(model) { model, block in
      let own = ranks.filter { Self.block(of: $0.key) == block }
      guard !own.isEmpty else { return model }
      let sums = try Self.covariances(of: model, examples) { own[$0] != nil }
      return try model.factorised(own) { model.factors(of: $0, covariance: sums[$0.path]) }
    }
  }

  /// `blocks.0` of `blocks.0.mixer.query`.
  private static func block(of path: String) -> Substring {
    let end = [".mixer", ".feed-forward"].compactMap { path.range(of: $0)?.lowerBound }.first
    return path[..<(end ?? path.endIndex)]
  }

  private static func covariances(
    of model: Classifier, _ examples: Calibration, _ wanted: @escaping (String) -> Bool
  ) throws -> [String: [Double]] {
    let probe = CovarianceProbe(of: wanted)
    _ = try examples.loss(of: model, .observing(probe))
    return probe.sums
  }
}
