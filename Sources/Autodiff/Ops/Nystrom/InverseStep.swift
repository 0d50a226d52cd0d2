// SPDX-License-Identifier: Apache-2.0

/// One step of the iterated inverse, and its gradient.
///
/// With α³ = 1/4, the step's polynomial is one of V = -α·A·Z whose cubic term has the factor 1:
/// ```
/// ¼·(13I - A·Z·(15I - A·Z·(7I - A·Z))) = V·T + 15/(4α)·V + 13/4·I,    T = V·V + 7/(4α²)·V
/// ```
/// The matrix to invert comes as N = -α·A, and Z is as it is:
/// ```
/// V = N·Z    T = V·V + 7/(4α²)·V    S = V·T + 15/(4α)·V + 13/4·I    Z′ = Z·S
/// ```
/// Nothing on the diagonal is added before a product: where attention is nearly even, all elements of
/// V are about -α/M, and sums of many such with one near 1 would round the same way again and again.
///
/// With Z₀ = Aᵀ/c, A·Z₀ is symmetric, and so are all V, T and S, which are polynomials in it. In the
/// first steps half of each is computed, and of their gradients only the symmetric part. Later ones
/// must not do so: rounding errors of Z make V a little asymmetric; the step damps what it finds of
/// them in V, but doubles what its mirror image hides, and multiplies it with a Z that has grown
/// 13/4-fold in every step. In 32 bits nearly even attention loses nothing by four halved steps, a
/// digit by six and all digits by sixteen.
struct InverseStep {
  /// α, the factor that A comes with.
  static let scale: Float = 0.629_960_525
  /// The first steps, whose symmetric matrices are computed by halves.
  static let halvedSteps = 4

  private static let constant: Float = 13 / 4
  private static let linear: Float = 15 / 4 / scale
  private static let square: Float = 7 / 4 / (scale * scale)

  private let inner: SquareMatrix
  private let outer: SquareMatrix
  private let sum: SquareMatrix

  init(_ size: Int, _ workspace: Workspace) {
    inner = SquareMatrix(size, workspace)
    outer = SquareMatrix(size, workspace)
    sum = SquareMatrix(size, workspace)
  }

  /// Writes V and S of a step, from N and Z.
  func advance(
    _ index: Int, _ negated: SquareMatrix, _ inverse: SquareMatrix, into power: SquareMatrix,
    _ factor: SquareMatrix
  ) {
    let symmetric = index < Self.halvedSteps
    power.multiply(negated, inverse, symmetric: symmetric)
    inner.assign(power, times: Self.square)
    inner.multiply(power, power, accumulate: true, symmetric: symmetric)
    factor.assign(power, times: Self.linear)
    factor.multiply(power, inner, accumulate: true, symmetric: symmetric)
    factor.addDiagonal(Self.constant)
  }

  /// The gradient of a step's V from that of Z′; those of Z, V and S are all transposed:
  /// dSᵀ = dZ′ᵀ·Z.
  func differentiate(
    _ index: Int, _ gradient: SquareMatrix, _ inverse: SquareMatrix, _ power: SquareMatrix
  ) -> SquareMatrix {
    outer.multiply(gradient, inverse)
    return differentiate(index, power)
  }

  /// The gradient of V, transposed, where S was multiplied with rows only:
  /// dSᵀ = `rows`·`gradient`ᵀ.
  func differentiate(
    _ index: Int, _ gradient: LandmarkRows, _ rows: LandmarkRows, _ power: SquareMatrix,
    _ workspace: Workspace
  ) -> SquareMatrix {
    outer.multiply(rows, transposed: gradient, workspace)
    return differentiate(index, power)
  }

  /// dVᵀ from dSᵀ in `outer`.
  private func differentiate(_ index: Int, _ power: SquareMatrix) -> SquareMatrix {
    if index < Self.halvedSteps {
      differentiateSymmetric(power)
      return inner
    }
    differentiateGeneral(power)
    return outer
  }

  /// Leaves dVᵀ in `outer`.
  ///
  /// ```
  /// U = dSᵀ·V    W = V·dSᵀ + U    dVᵀ = 15/(4α)·dSᵀ + 7/(4α²)·W + V·W + U·V
  /// ```
  private func differentiateGeneral(_ power: SquareMatrix) {
    inner.multiply(outer, power)
    sum.assign(inner, times: 1)
    sum.multiply(power, outer, accumulate: true)
    outer.combine(sum) { own, other in
      (own * Self.linear).addingProduct(other, Lanes(repeating: Self.square))
    }
    outer.multiply(power, sum, accumulate: true)
    outer.multiply(inner, power, accumulate: true)
  }

  /// Leaves dV, which is symmetric, in `inner`.
  ///
  /// ```
  /// D = ½·(dS + dSᵀ)    W = V·D    Y = W + ½·Wᵀ    R = V·Y + 7/(4α²)·W    dV = R + Rᵀ + 15/(4α)·D
  /// ```
  /// where D·V·V + V·D·V + V·V·D = V·Y + (V·Y)ᵀ and D·V + V·D = W + Wᵀ.
  private func differentiateSymmetric(_ power: SquareMatrix) {
    inner.combineTransposed(outer) { _, own, mirrored in (own + mirrored) * 0.5 }
    outer.multiply(power, inner)
    sum.combineTransposed(outer) { _, own, mirrored in own.addingProduct(mirrored, 0.5) }
    outer.assign(outer, times: Self.square)
    outer.multiply(power, sum, accumulate: true)
    inner.combineTransposed(outer) { before, own, mirrored in
      (own + mirrored).addingProduct(before, Lanes(repeating: Self.linear))
    }
  }
}
