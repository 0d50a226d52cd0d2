// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// The output projection of attention with its residual connection: residual + drop(x·Wₒᵀ + bₒ).
struct OutputProjection {
  private let weight: Parameter
  /// bₒ, [E].
  var bias: Parameter?
  private let dropout: DropoutLayer

  /// Wₒ is the layer's `output.weight`, [E, H·D].
  init(_ size: MixerSize, _ scope: ParameterScope) {
    let weight = scope.weight("output.weight", [size.width, size.attentionWidth], .xavierUniform)
    self.init(weight: weight, size, scope)
  }

  /// - Parameter weight: Wₒ, [E, columns of x].
  init(weight: Parameter, _ size: MixerSize, _ scope: ParameterScope) {
    self.weight = weight
    dropout = DropoutLayer(size.dropout, at: scope.path + ".branch")
  }

  /// - Parameter x: what the branch mixed, [N, H·D].
  func callAsFunction(
    _ residual: Tensor, adding x: Tensor, _ context: ForwardContext
  ) -> Tensor {
    residualLinear(
      residual, adding: x, weight: weight.tensor, bias: bias?.tensor, dropout: dropout(context),
      precision: context.precision)
  }
}
