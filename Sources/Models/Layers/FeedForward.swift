// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// h + drop(W₂·drop(gelu(W₁·LayerNorm(h) + b₁)) + b₂).
struct FeedForward: PositionwiseLayer {
  private let norm: LayerNorm
  private let inner: Linear
  private let outer: Linear
  private let innerDropout: DropoutLayer
  private let outerDropout: DropoutLayer

  init(_ size: MixerSize, _ scope: ParameterScope) {
    let (width, hidden) = (size.width, size.feedForward)
    norm = LayerNorm(width, scope.scope("norm"))
    inner = Linear(width, hidden, scope.scope("inner"), .xavierUniform)
    outer = Linear(hidden, width, scope.scope("outer"), .xavierUniform)
    innerDropout = DropoutLayer(size.dropout, at: scope.path + ".inner")
    outerDropout = DropoutLayer(size.dropout, at: scope.path + ".outer")
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    feedForward(
      x, norm: norm.norm, inner: inner.tensors, outer: outer.tensors,
      dropout: (innerDropout(context), outerDropout(context)), precision: context.precision)
  }
}
