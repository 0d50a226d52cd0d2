// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// residual + drop(GLU(drop(gelu(y)))): the end of a block of a state-space model.
///
/// ```
/// GLU(z) = a ⊙ σ(b)      [a | b] = W·z + w
/// ```
struct GatedLinearUnit {
  private let map: WeightMap
  private let innerDropout: DropoutLayer
  private let outerDropout: DropoutLayer

  init(_ size: MixerSize, _ scope: ParameterScope) {
    map = WeightMap(size.width, 2 * size.width, scope, .lecunNormal, bias: true)
    innerDropout = DropoutLayer(size.dropout, at: scope.place + ".inner")
    outerDropout = DropoutLayer(size.dropout, at: scope.place + ".outer")
  }

  func callAsFunction(_ residual: Tensor, _ y: Tensor, _ context: ForwardContext) -> Tensor {
    guard let bias = map.bias?.tensor else { preconditionFailure("gate: a map without bias") }
    context.observer?.sees(elementwise(.gelu, y), of: [map.path])
    guard let expand = map.expand else {
      return gatedLinear(
        residual, adding: y, weight: map.front.tensor, bias: bias,
        dropout: (innerDropout(context), outerDropout(context)), precision: context.mapPrecision)
    }
    let nothing = Tensor(shape: y.shape, [Float](repeating: 0, count: y.count))
    let z = residualSum(nothing, adding: elementwise(.gelu, y), dropout: innerDropout(context))
    return gatedLinear(
      residual, adding: linear(z, weight: map.front.tensor, precision: context.mapPrecision),
      weight: expand.tensor, bias: bias, activation: .identity,
      dropout: (.none, outerDropout(context)), precision: context.mapPrecision)
  }
}
