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

  private let maps: any HeadMaps

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    if let rank = options.rank(size.width, size.attentionWidth) {
      maps = NarrowHeads(size, rank, options.start, scope)
    } else {
      maps = MultiHead(size, scope)
    }
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let (query, key, value) = maps.queryKeyValue(x)
    let mixed = attention(
      query: query, key: key, value: value, queries: context.sequences, keys: context.sequences,
      dropout: maps.weightDropout(context), precision: context.precision)
    return maps.finish(x, mixed, context)
  }

  static func feedForward(
    _ size: MixerSize, _ options: Options, _ scope: ParameterScope
  ) -> any PositionwiseLayer {
    guard let rank = options.rank(size.width, size.feedForward) else {
      return FeedForward(size, scope)
    }
    return NarrowFeedForward(size, rank, options.start, scope)
  }
}

/// The maps from rows to heads and back.
private protocol HeadMaps {
  func queryKeyValue(_ x: BranchInput) -> (query: HeadsView, key: HeadsView, value: HeadsView)
  func weightDropout(_ context: ForwardContext) -> Dropout
  func finish(_ x: BranchInput, _ mixed: Tensor, _ context: ForwardContext) -> Tensor
}

extension MultiHead: HeadMaps {}

/// ``MultiHead`` with products of narrow matrices.
private struct NarrowHeads: HeadMaps {
  private let inputs: [LowRankMap]
  private let reduce: Parameter
  private let output: OutputProjection
  private let size: MixerSize
  private let attentionDropout: DropoutLayer

  init(_ size: MixerSize, _ rank: Int, _ start: LowRankMap.Start, _ scope: ParameterScope) {
    let (inside, outside) = (size.attentionWidth, size.width)
    inputs = ["query", "key", "value"].map {
      LowRankMap(outside, inside, rank: rank, start, scope.scope($0))
    }
    let map = LowRankMap(inside, outside, rank: rank, start, scope.scope("output"))
    reduce = map.reduce
    output = OutputProjection(weight: map.expand, size, scope)
    self.size = size
    attentionDropout = DropoutLayer(size.attentionDropout, at: scope.path + ".weights")
  }

  /// One product to 3·r columns, then a map for each r of them.
  func queryKeyValue(_ x: BranchInput) -> (query: HeadsView, key: HeadsView, value: HeadsView) {
    let all = groupedLinear(
      x.project(stacked(inputs.map(\.reduce.tensor))), weight: stacked(inputs.map(\.expand.tensor)),
      groups: inputs.count, precision: x.precision)
    return (size.view(all, 0), size.view(all, 1), size.view(all, 2))
  }

  func weightDropout(_ context: ForwardContext) -> Dropout { attentionDropout(context) }

  func finish(_ x: BranchInput, _ mixed: Tensor, _ context: ForwardContext) -> Tensor {
    output(
      x.residual, adding: linear(mixed, weight: reduce.tensor, precision: context.precision),
      context)
  }
}

/// h + drop(V₂·U₂·drop(gelu(V₁·U₁·LayerNorm(h) + b₁)) + b₂).
private struct NarrowFeedForward: PositionwiseLayer {
  private let norm: LayerNorm
  private let inner: LowRankMap
  private let innerBias: Parameter
  private let outer: LowRankMap
  private let outerBias: Parameter
  private let innerDropout: DropoutLayer
  private let outerDropout: DropoutLayer

  init(_ size: MixerSize, _ rank: Int, _ start: LowRankMap.Start, _ scope: ParameterScope) {
    let (width, hidden) = (size.width, size.feedForward)
    norm = LayerNorm(width, scope.scope("norm"))
    inner = LowRankMap(width, hidden, rank: rank, start, scope.scope("inner"))
    innerBias = scope.weight("inner.bias", [hidden], .zeros)
    outer = LowRankMap(hidden, width, rank: rank, start, scope.scope("outer"))
    outerBias = scope.weight("outer.bias", [width], .zeros)
    innerDropout = DropoutLayer(size.dropout, at: scope.path + ".inner")
    outerDropout = DropoutLayer(size.dropout, at: scope.path + ".outer")
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    let reduced = normalizedLinear(
      x, norm: norm.norm, weight: inner.reduce.tensor,
      precision: context.precision)
    let between = perceptron(
      reduced, inner: (inner.expand.tensor, innerBias.tensor), outer: outer.reduce.tensor,
      dropout: innerDropout(context), precision: context.precision)
    return residualLinear(
      x, adding: between, weight: outer.expand.tensor, bias: outerBias.tensor,
      dropout: outerDropout(context), precision: context.precision)
  }
}
