import Autodiff

/// h + drop(W₂·drop(gelu(W₁·LayerNorm(h) + b₁)) + b₂).
struct FeedForward: PositionwiseLayer {
  private let norm: LayerNorm
  private let inner: Linear
  private let outer: Linear
  private let rate: Double
  private let innerSite: UInt64
  private let outerSite: UInt64

  init(_ size: MixerSize, _ scope: ParameterScope) {
    let (width, hidden) = (size.width, size.feedForward)
    norm = LayerNorm(width, scope.scope("norm"))
    inner = Linear(width, hidden, scope.scope("inner"), .xavierUniform)
    outer = Linear(hidden, width, scope.scope("outer"), .xavierUniform)
    rate = size.dropout
    innerSite = dropoutSite(scope.path + ".inner")
    outerSite = dropoutSite(scope.path + ".outer")
  }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    feedForward(
      x, norm: norm.norm, inner: inner.tensors, outer: outer.tensors,
      dropout: (context.dropout(rate, site: innerSite), context.dropout(rate, site: outerSite)))
  }
}
