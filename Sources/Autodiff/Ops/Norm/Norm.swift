/// The scale and shift of a layer normalisation.
public struct Norm {
  /// γ, [E].
  public let scale: Tensor
  /// β, [E].
  public let shift: Tensor
  /// ε, added to the variance.
  public let epsilon: Float

  /// - Precondition: scale and shift have the same width.
  public init(scale: Tensor, shift: Tensor, epsilon: Float = 1e-6) {
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
