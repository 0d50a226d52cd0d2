// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// A transformer whose six matrices a block (query, key, value, output, and both of the feed-forward
/// network) are products of narrow ones.
///
/// ```
/// y = V·(U·x) + b      U: [r, inputs], V: [outputs, r]
/// O = softmax(Q·Kᵀ/√D)·V      per head, exact
/// ```
/// - Complexity: O(L²·E + L·E·r) time, O(L·E) memory.
///
/// Source: Winata et al., "Lightweight and Efficient End-to-End Speech Recognition Using Low-Rank
/// Transformer" (2020), arXiv 1910.13923; Cahyawijaya, "Greenformers" (2021), arXiv 2108.10808, for
/// the rule of ranks and the start from a singular value decomposition.
/// Differs: see ``about``.
struct LowRank: Mixer {
  static let about = VariantDescription(
    name: "lowrank",
    paper: "Winata et al., Lightweight and Efficient End-to-End Speech Recognition Using Low-Rank "
      + "Transformer", year: 2020, arXiv: "1910.13923", cost: .quadratic,
    summary: "A transformer whose matrices are products of two narrow ones; attention is exact.",
    deviations: [
      "The published ranks, 50 to 100 at width 512, are for speech; the default is the share 0.4 "
        + "that Greenformers uses.",
      "random draws normal numbers such that the product has Xavier's variance; Greenformers draws "
        + "each factor as PyTorch's linear layers.",
      "svd gives each factor the root of the singular values; Greenformers gives them all to U.",
      "The classifier is not factorised, though Greenformers would: it has fewer outputs than ranks.",
    ])

  struct Options: VariantOptions {
    @Knob("r of all matrices; 0 takes rank-share", 0...) var rank = 0
    @Knob(
      "r of each matrix as a share of the rank at which it would save nothing", above: 0, through: 1
    )
    var rankShare = 0.4
    @Knob("how the factors begin: random, or svd of a random dense matrix")
    var start = LowRankMap.Start.random

    var idle: [String: String] {
      rank == 0 ? [:] : ["rank-share": "model.rank gives the rank"]
    }

    /// r of a matrix, nil where it stays dense because two would have no fewer values.
    func rank(_ inputs: Int, _ outputs: Int) -> Int? {
      let limit = LowRankMap.limit(inputs, outputs)
      let rank = rank > 0 ? rank : max(1, Int(rankShare * Double(limit)))
      return rank < limit ? rank : nil
    }
  }

  private let projections: MultiHead

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    let rank = options.rank(size.width, size.whole.attentionWidth)
    projections = MultiHead(size, scope.with(MapRanks(start: options.start) { _ in rank }))
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let (query, key, value) = projections.queryKeyValue(x)
    let mixed = attention(
      query: query, key: key, value: value, queries: context.sequences, keys: context.sequences,
      dropout: projections.weightDropout(context), precision: context.precision)
    return projections.finish(x, mixed, context)
  }

  static func feedForward(
    _ size: MixerSize, _ options: Options, _ scope: ParameterScope
  ) -> any PositionwiseLayer {
    let rank = options.rank(size.width, size.whole.feedForward)
    return FeedForward(size, scope.with(MapRanks(start: options.start) { _ in rank }))
  }
}
