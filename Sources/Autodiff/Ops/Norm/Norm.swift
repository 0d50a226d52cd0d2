// SPDX-License-Identifier: Apache-2.0

/// The scale and shift of a layer normalisation.
package struct Norm {
  /// γ, [E].
  package let scale: Tensor
  /// β, [E].
  package let shift: Tensor
  /// ε, added to the variance.
  package let epsilon: Float

  /// - Precondition: scale and shift have the same width.
  package init(scale: Tensor, shift: Tensor, epsilon: Float = 1e-6) {
    precondition(
      scale.count == shift.count, "norm: scale \(scale.shape) and shift \(shift.shape) differ")
    self.scale = scale
    self.shift = shift
    self.epsilon = epsilon
  }

  var tile: NormTile {
    NormTile(
      scale: scale.pointer, shift: shift.pointer, width: scale.count, epsilon: epsilon)
  }
}
