// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// residual + drop(GLU(drop(gelu(y)))): the end of a block of a state-space model.
///
/// ```
/// GLU(z) = a ⊙ σ(b)      [a | b] = W·z + w
/// ```
struct GatedLinearUnit {
  private let map: Linear
  private let innerDropout: DropoutLayer
  private let outerDropout: DropoutLayer

  init(_ size: MixerSize, _ scope: ParameterScope) {
    map = Linear(size.width, 2 * size.width, scope, .lecunNormal)
    innerDropout = DropoutLayer(size.dropout, at: scope.path + ".inner")
    outerDropout = DropoutLayer(size.dropout, at: scope.path + ".outer")
  }

  func callAsFunction(_ residual: Tensor, _ y: Tensor, _ context: ForwardContext) -> Tensor {
    gatedLinear(
      residual, adding: y, weight: map.tensors.weight, bias: map.tensors.bias,
      dropout: (innerDropout(context), outerDropout(context)), precision: context.precision)
  }
}
