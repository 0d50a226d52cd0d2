// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// h + drop(W₂·drop(gelu(W₁·LayerNorm(h) + b₁)) + b₂).
struct FeedForward: PositionwiseLayer {
  private let norm: LayerNorm
  private let inner: WeightMap
  private let outer: WeightMap
  private let innerDropout: DropoutLayer
  private let outerDropout: DropoutLayer
  private let path: String

  init(_ size: MixerSize, _ scope: ParameterScope) {
    let (width, hidden) = (size.width, size.feedForward)
    norm = LayerNorm(width, scope.norms.scope("norm"))
    inner = WeightMap(width, hidden, scope.scope("inner"), .xavierUniform, bias: true)
    outer = WeightMap(hidden, width, scope.scope("outer"), .xavierUniform, bias: true)
    innerDropout = DropoutLayer(size.dropout, at: scope.place + ".inner")
    outerDropout = DropoutLayer(size.dropout, at: scope.place + ".outer")
    path = scope.path
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    guard let innerBias = inner.bias?.tensor, let outerBias = outer.bias?.tensor else {
      preconditionFailure("feed-forward: maps without biases")
    }
    if context.observer != nil { return observed(x, context) }
    let (precision, norm) = (context.mapPrecision, norm.norm)
    let dropout = (innerDropout(context), outerDropout(context))
    if inner.expand == nil, outer.expand == nil {
      return feedForward(
        x, norm: norm, inner: (inner.front.tensor, innerBias),
        outer: (outer.front.tensor, outerBias), dropout: dropout, precision: precision)
    }
    let rows =
      inner.expand == nil
      ? layerNorm(x, norm: norm)
      : normalizedLinear(x, norm: norm, weight: inner.front.tensor, precision: precision)
    let between = perceptron(
      rows, inner: ((inner.expand ?? inner.front).tensor, innerBias), outer: outer.front.tensor,
      dropout: dropout.0, precision: precision)
    guard let expand = outer.expand else {
      return residualSum(x, adding: adding(outerBias, toRowsOf: between), dropout: dropout.1)
    }
    return residualLinear(
      x, adding: between, weight: expand.tensor, bias: outerBias, dropout: dropout.1,
      precision: precision)
  }

  /// The same in evaluation, one operation after the other.
  private func observed(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    let hidden = inner(layerNorm(x, norm: norm.norm), activation: .gelu, context)
    return outer.adding(to: x, context.observed(hidden, unitsOf: path, width: 1), context)
  }
}
