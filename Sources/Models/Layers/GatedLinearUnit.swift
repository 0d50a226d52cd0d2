import Autodiff

/// residual + drop(GLU(drop(gelu(y)))): the end of a block of a state-space model.
///
/// ```
/// GLU(z) = a ⊙ σ(b)      [a | b] = W·z + w
/// ```
struct GatedLinearUnit {
  private let map: Linear
  private let rate: Double
  private let innerSite: UInt64
  private let outerSite: UInt64

  init(_ size: MixerSize, _ scope: ParameterScope) {
    map = Linear(size.width, 2 * size.width, scope, .lecunNormal)
    rate = size.dropout
    innerSite = dropoutSite(scope.path + ".inner")
    outerSite = dropoutSite(scope.path + ".outer")
  }

  func callAsFunction(_ residual: Tensor, _ y: Tensor, _ context: ForwardContext) -> Tensor {
    gatedLinear(
      residual, adding: y, weight: map.tensors.weight, bias: map.tensors.bias,
      dropout: (context.dropout(rate, site: innerSite), context.dropout(rate, site: outerSite)))
  }
}
