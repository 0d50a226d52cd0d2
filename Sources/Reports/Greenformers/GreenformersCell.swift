// SPDX-License-Identifier: Apache-2.0

import Base
import Training

/// What is measured once a round for Greenformers' questions: a model of one size at one length.
package struct GreenformersCell: Codable, Hashable, Sendable {
  /// What a cell is for.
  package enum Part: String, Codable, Sendable {
    /// The comparison of models by length.
    case models
    /// A layer of BERT-base's sizes, for η.
    case layer
  }

  /// What it is for.
  package var part: Part
  /// `transformer`, `lowrank` or `linformer`.
  package var model: String
  /// L.
  package var length: Int
  /// Examples a step.
  package var batch: Int
  /// E.
  package var width: Int
  /// F.
  package var feedForward: Int
  /// H.
  package var heads: Int
  /// Blocks.
  package var layers: Int
  /// r of all maps of lowrank; nil for others, and where a share is given.
  package var rank: Int?
  /// r of each map as a share of the rank that saves nothing.
  package var share: Double?
  /// K of linformer.
  package var projected: Int?
  /// Whether inference is measured, not a training step.
  package var forward: Bool

  /// The model with what is its own: `lowrank 0.25`, `linformer K 64`.
  package var name: String {
    if let rank { return "\(model) r \(rank)" }
    if let share { return "\(model) \(formatNumber("%g", share))" }
    return projected.map { "\(model) K \($0)" } ?? model
  }

  /// The flags of `lra bench` for it.
  ///
  /// - Parameter steps: to be timed.
  package func arguments(steps: Int, threads: Int) -> [String] {
    let sizes = [
      ("length", length), ("batch", batch), ("emb", width), ("mlp", feedForward), ("heads", heads),
      ("layers", layers), ("steps", steps), ("threads", threads),
    ].flatMap { ["--\($0.0)", "\($0.1)"] }
    let settings = [
      rank.map { "model.rank=\($0)" }, share.map { "model.rank-share=\($0)" },
      projected.map { "model.projected=\($0)" },
    ].compactMap(\.self).flatMap { ["--set", $0] }
    return ["bench", "--cell", "--model", model] + sizes + settings
      + (forward ? ["--forward"] : [])
  }

  /// About how many operations a step has: maps, attention, and three times that for training.
  package var flops: Double {
    let maps = Double(layers * ranks.values(of: (width, feedForward)))
    let keys = projected ?? length
    // Linformer projects keys and values along the sequence.
    let attention = Double(4 * layers * keys * width * (projected == nil ? 1 : 2))
    return Double(batch * length) * (2 * maps + attention) * (forward ? 1 : 3)
  }

  /// The ranks of its maps.
  private var ranks: RankChoice {
    if let rank { return .rank(rank) }
    return share.map { .share($0) } ?? .dense
  }
}

extension GreenformersCell: CheckedValue {
  /// Checks that it is one that could be measured.
  package func check() throws(FieldFault) {
    try FieldRange(1...1e6).check([
      "length": length, "batch": batch, "width": width, "heads": heads, "layers": layers,
      "rank": rank, "projected": projected,
    ])
    try FieldRange(0...1e6).check(["feed_forward": feedForward])
    try FieldRange.share.check(["share": share])
  }
}

extension RankChoice {
  /// Values of the six maps of a block.
  fileprivate func values(of sizes: (width: Int, feedForward: Int)) -> Int {
    4 * values(sizes.width, sizes.width) + values(sizes.width, sizes.feedForward)
      + values(sizes.feedForward, sizes.width)
  }
}
