/// One step of the iterated inverse, and its gradient.
///
/// With α³ = 1/4, the step's polynomial is one of V = α·(7/3·I - A·Z) without a square:
/// ```
/// ¼·(13I - A·Z·(15I - A·Z·(7I - A·Z))) = V·T + 23/27·I,    T = V·V - 4/3·α²·I
/// ```
/// so that only diagonals are left to add between products. The matrix to invert comes as N = -α·A,
/// and Z is as it is:
/// ```
/// V = N·Z + 7/3·α·I    S = V·T + 23/27·I    Z′ = Z·S
/// ```
/// With Z₀ = Aᵀ/c, A·Z₀ is symmetric, and so are all V, T and S, which are polynomials in it: half of
/// each is computed, and of their gradients only the symmetric part matters. The residual I - A·Z is a
/// polynomial in itself from step to step, so that A and Z could be left out; but then rounding errors
/// grow with every step, and are thirty times as large after six.
struct InverseStep {
  /// α, the factor that A comes with.
  static let scale: Float = 0.629_960_525
  /// What is missing of the square: 4/3·α².
  private static let missing: Float = 4 / 3 * scale * scale

  /// T, or D in the backward pass.
  private let inner: SquareMatrix
  private let product: SquareMatrix
  private let sum: SquareMatrix

  init(_ size: Int, _ workspace: Workspace) {
    inner = SquareMatrix(size, workspace)
    product = SquareMatrix(size, workspace)
    sum = SquareMatrix(size, workspace)
  }

  /// Writes V and S, from N and Z.
  func advance(
    _ negated: SquareMatrix, _ start: SquareMatrix, into shifted: SquareMatrix,
    _ factor: SquareMatrix
  ) {
    shifted.multiplySymmetric(negated, start)
    shifted.addDiagonal(7 / 3 * Self.scale)
    inner.multiplySymmetric(shifted, shifted)
    inner.addDiagonal(-Self.missing)
    factor.multiplySymmetric(shifted, inner)
    factor.addDiagonal(23 / 27)
  }

  /// The gradient of V from that of Z′, which is kept transposed: g = dZ′ᵀ and dS = g·Z, transposed.
  func differentiate(
    _ gradient: SquareMatrix, _ start: SquareMatrix, _ shifted: SquareMatrix
  ) -> SquareMatrix {
    product.multiply(gradient, start)
    return differentiate(shifted)
  }

  /// The gradient of V where S was multiplied with rows only: dS = `gradient`·`rows`ᵀ.
  func differentiate(
    _ gradient: LandmarkRows, _ rows: LandmarkRows, _ shifted: SquareMatrix,
    _ workspace: Workspace
  ) -> SquareMatrix {
    product.multiply(gradient, transposed: rows, workspace)
    return differentiate(shifted)
  }

  /// The gradient of V, from dS in `product`.
  ///
  /// ```
  /// D = ½·(dS + dSᵀ)    W = V·D    R = V·(W + ½·Wᵀ)    dV = R + Rᵀ - 4/3·α²·D
  /// ```
  /// where D is the symmetric part of dS, and D·V·V + V·D·V + V·V·D = R + Rᵀ.
  private func differentiate(_ shifted: SquareMatrix) -> SquareMatrix {
    inner.combine(product) { _, own, mirrored in (own + mirrored) * 0.5 }
    product.multiply(shifted, inner)
    sum.combine(product) { _, own, mirrored in own.addingProduct(mirrored, 0.5) }
    product.multiply(shifted, sum)
    inner.combine(product) { before, own, mirrored in own + mirrored - before * Self.missing }
    return inner
  }
}
