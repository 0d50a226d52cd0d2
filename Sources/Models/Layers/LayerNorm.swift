// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// The scale and shift of a layer normalisation, ε = 1e-6 as in the LRA code (PyTorch's is 1e-5).
struct LayerNorm {
  private let scale: Parameter
  private let shift: Parameter

  init(_ width: Int, _ scope: ParameterScope) {
    scale = scope.weight("scale", [width], .ones)
    shift = scope.weight("shift", [width], .zeros)
  }

  var norm: Norm { Norm(scale: scale.tensor, shift: shift.tensor, epsilon: 1e-6) }
}
