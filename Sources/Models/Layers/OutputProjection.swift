// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// The output projection of attention with its residual connection: residual + drop(x·Wₒᵀ + bₒ).
struct OutputProjection {
  private let map: WeightMap
  /// bₒ, [E].
  var bias: Parameter?
  private let dropout: DropoutLayer
  private let path: String
  private let headWidth: Int

  /// Wₒ is the layer's `output.weight`, [E, H·D].
  init(_ size: MixerSize, _ scope: ParameterScope) {
    map = WeightMap(size.attentionWidth, size.width, scope.scope("output"), .xavierUniform)
    dropout = DropoutLayer(size.dropout, at: scope.place + ".branch")
    path = scope.path
    headWidth = size.headWidth
  }

  /// - Parameter x: what the branch mixed, [N, H·D].
  func callAsFunction(
    _ residual: Tensor, adding x: Tensor, _ context: ForwardContext
  ) -> Tensor {
    map.adding(
      to: residual, context.observed(x, unitsOf: path, width: headWidth), bias: bias,
      dropout: dropout(context), context)
  }
}
