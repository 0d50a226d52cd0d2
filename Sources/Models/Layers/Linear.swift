// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// A linear map with a bias.
struct Linear {
  private let weight: Parameter
  private let bias: Parameter

  init(_ inputs: Int, _ outputs: Int, _ scope: ParameterScope, _ initializer: Initializer) {
    weight = scope.weight("weight", [outputs, inputs], initializer)
    bias = scope.weight("bias", [outputs], .zeros)
  }

  var tensors: (weight: Tensor, bias: Tensor) { (weight.tensor, bias.tensor) }

  func callAsFunction(
    _ x: Tensor, activation: Activation = .identity, precision: Precision = .fp32
  ) -> Tensor {
    linear(
      x, weight: weight.tensor, bias: bias.tensor, activation: activation, precision: precision)
  }
}
