// SPDX-License-Identifier: Apache-2.0

import Base

/// The cells of Greenformers' questions, those that meet in one comparison together.
package struct GreenformersGrid: Sendable, Equatable {
  /// The rank of a low-rank transformer: r, or a share of the rank that saves nothing.
  package enum Rank: Sendable, Equatable {
    case rank(Int)
    case share(Double)
  }

  /// E.
  package var widths: [Int]
  /// L.
  package var lengths: [Int]
  /// Of the low-rank transformer.
  package var ranks: [Rank]
  /// K of linformer.
  package var projected: [Int]
  /// r of the layer of BERT-base's sizes; empty to leave it out.
  package var layerRanks: [Int]
  /// Examples a step.
  package var batch: Int

  package init(
    widths: [Int], lengths: [Int], ranks: [Rank], projected: [Int], layerRanks: [Int], batch: Int
  ) {
    (self.widths, self.lengths, self.ranks) = (widths, lengths, ranks)
    (self.projected, self.layerRanks, self.batch) = (projected, layerRanks, batch)
  }

  /// Blocks of the compared models.
  private static let layers = 2
  /// L of the layer of BERT-base's sizes.
  private static let layerLengths = PretrainingPlan.bert.phases.map(\.length)

  /// The comparisons, each to be measured in turns: all models of a width at a length, training and
  /// inference apart; then the layer.
  ///
  /// - Throws: `UserError(.usage)` for a rank or K that no cell can have.
  package func comparisons() throws -> [[GreenformersCell]] {
    try check()
    let models = widths.flatMap { width in
      lengths.flatMap { length in
        [false, true].map { forward in cells(width, length, forward: forward) }
      }
    }
    return models + (layerRanks.isEmpty ? [] : Self.layerLengths.map(layer))
  }

  private func cells(_ width: Int, _ length: Int, forward: Bool) -> [GreenformersCell] {
    let plain = GreenformersCell(
      part: .models, model: "transformer", length: length, batch: batch, width: width,
      feedForward: 2 * width, heads: Self.heads(width), layers: Self.layers, forward: forward)
    let narrow = ranks.compactMap { rank -> GreenformersCell? in
      var cell = plain
      cell.model = "lowrank"
      switch rank {
      case .rank(let rank):
        guard rank < Self.limit(width) else { return nil }
        cell.rank = rank
      case .share(let share): cell.share = share
      }
      return cell
    }
    let linformer = projected.filter { $0 <= length }.map { projected in
      var cell = plain
      (cell.model, cell.projected) = ("linformer", projected)
      return cell
    }
    return [plain] + narrow + linformer
  }

  /// A layer of BERT-base's sizes, dense and with each rank, on as many tokens at each length.
  private func layer(_ length: Int) -> [GreenformersCell] {
    let shape = EncoderShape.bertBase
    let longest = Self.layerLengths.max() ?? length
    let dense = GreenformersCell(
      part: .layer, model: "transformer", length: length, batch: batch * longest / length,
      width: shape.width,
      feedForward: shape.feedForward, heads: shape.width / 64, layers: 1, forward: false)
    return [dense]
      + layerRanks.map { rank in
        var cell = dense
        (cell.model, cell.rank) = ("lowrank", rank)
        return cell
      }
  }

  /// Heads of 64 columns, two at least.
  private static func heads(_ width: Int) -> Int { max(2, width / 64) }

  /// The rank from which on the square maps of a width stay dense.
  private static func limit(_ width: Int) -> Int { Int(RankChoice.limit(width, width)) }

  private func check() throws {
    for width in widths where width % Self.heads(width) != 0 {
      throw UserError(
        .usage, "--widths: \(width) is not a multiple of its \(Self.heads(width)) heads",
        remedy: "give 32, 64, 128 or multiples of 128")
    }
    let limit = widths.map(Self.limit).max() ?? 0
    for case .rank(let rank) in ranks where rank >= limit {
      throw UserError(
        .usage, "--ranks: \(rank) saves nothing at any of the widths",
        remedy: "give ranks below \(limit), or shares of that rank, such as 0.25")
    }
    if let wrong = layerRanks.first(where: { $0 >= Self.limit(EncoderShape.bertBase.width) }) {
      throw UserError(
        .usage, "--layer-ranks: \(wrong) saves nothing in a layer of width 768",
        remedy: "give ranks below \(Self.limit(EncoderShape.bertBase.width))")
    }
    if let longest = lengths.max(), let wrong = projected.first(where: { $0 > longest }) {
      throw UserError(
        .usage, "--projected: \(wrong) is more than the longest of the lengths",
        remedy: "give K up to \(longest)")
    }
  }
}
