/// A square matrix in scratch memory, as a factor and as a result of products.
///
/// Rows are filled up with zeros to whole panels, so the matrix serves as the right-hand side of a
/// product where it stands. They lie 16 floats further apart than that, so that the rows of a panel
/// do not share the same few places of the first-level cache.
struct SquareMatrix {
  let base: UnsafeMutablePointer<Float>
  let size: Int
  /// Columns with those that fill up the last panel.
  let padded: Int
  /// Floats from one row to the next.
  let row: Int

  /// Room for a matrix; every way to compute one leaves zeros in the columns that fill up.
  init(_ size: Int, _ workspace: Workspace) {
    self.init(size, at: workspace.floats(Self.count(size)))
  }

  /// A matrix in memory of `count(size)` floats.
  init(_ size: Int, at base: UnsafeMutablePointer<Float>) {
    self.base = base
    self.size = size
    padded = Panels.padded(size)
    row = padded + laneCount
  }

  /// Floats that a matrix takes.
  static func count(_ size: Int) -> Int { size * (Panels.padded(size) + laneCount) }

  var panels: Panels { Panels(base: base, step: row, panel: Panels.width) }
  var left: StridedMatrix { StridedMatrix(base: base, row: row, column: 1) }
  var leftTransposed: StridedMatrix { StridedMatrix(base: base, row: 1, column: row) }

  /// self = or += a·b.
  func multiply(_ a: SquareMatrix, _ b: SquareMatrix, accumulate: Bool = false) {
    multiply(a.left, inner: size, b.panels, accumulate: accumulate)
  }

  /// self = or += a·b, where a has `inner` columns.
  func multiply(_ a: StridedMatrix, inner: Int, _ b: Panels, accumulate: Bool = false) {
    Autodiff.multiply(
      rows: size, columns: padded, inner: inner, a, b, into: base, row: row,
      accumulate: accumulate)
  }

  /// self += value·I.
  func addDiagonal(_ value: Float) {
    for i in 0..<size { base[i * row + i] += value }
  }

  /// self = factor·aᵀ.
  func assignTransposed(_ a: SquareMatrix, times factor: Float) {
    forEachTransposed(a) { place, vector in store(vector * factor, base + place) }
  }

  /// self = f(self, a, aᵀ), element by element.
  @inline(__always)
  func combine(_ a: SquareMatrix, _ f: (Lanes, Lanes, Lanes) -> Lanes) {
    forEachTransposed(a) { place, mirrored in
      store(f(load(base + place), load(a.base + place), mirrored), base + place)
    }
  }

  /// Calls `body(place, vector)` for sixteen neighbouring elements of aᵀ and their place in a matrix
  /// of its size.
  @inline(__always)
  private func forEachTransposed(_ a: SquareMatrix, _ body: (Int, Lanes) -> Void) {
    withUnsafeTemporaryAllocation(of: Lanes.self, capacity: 2 * laneCount) { memory in
      guard let block = memory.baseAddress else { return }
      for column in stride(from: 0, to: padded, by: laneCount) {
        for first in stride(from: 0, to: size, by: laneCount) {
          for j in 0..<laneCount {
            block[j] = column + j < size ? load(a.base + (column + j) * row + first) : Lanes()
          }
          transpose(block)
          for i in 0..<min(laneCount, size - first) {
            body((first + i) * row + column, block[i])
          }
        }
      }
    }
  }

  /// self = a·b where the result is symmetric: panels on the diagonal and below are computed,
  /// and those above are their mirror images.
  func multiplySymmetric(_ a: SquareMatrix, _ b: SquareMatrix) {
    for first in stride(from: 0, to: size, by: Panels.width) {
      Autodiff.multiply(
        rows: size - first, columns: Panels.width, inner: size,
        StridedMatrix(base: a.base + first * row, row: row, column: 1),
        Panels(base: b.base + first, step: row, panel: Panels.width),
        into: base + first * row + first, row: row, accumulate: false)
    }
    mirror()
  }

  /// Copies what is below the panels on the diagonal to above them.
  private func mirror() {
    for first in stride(from: 0, to: size, by: Panels.width) {
      let above = first..<min(size, first + Panels.width)
      for column in stride(from: first + Panels.width, to: size, by: laneCount) {
        for half in stride(from: above.lowerBound, to: above.upperBound, by: laneCount) {
          transposeBlock(
            base + column * row + half, row: row, rows: size - column,
            columns: min(laneCount, above.upperBound - half), scale: 1,
            into: base + half * row + column, row: row)
        }
      }
    }
  }
}

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
/// each is computed, and of their gradients only the symmetric part matters.
struct InverseStep {
  /// α, the factor that A comes with.
  static let scale: Float = 0.629_960_525
  /// What is missing of the square: 4/3·α².
  private static let missing: Float = 4 / 3 * scale * scale

  private let shifted: SquareMatrix
  /// T, or D in the backward pass.
  private let inner: SquareMatrix

  init(_ size: Int, _ workspace: Workspace) {
    shifted = SquareMatrix(size, workspace)
    inner = SquareMatrix(size, workspace)
  }

  /// next = Z′, and S, from N and Z.
  func advance(
    _ negated: SquareMatrix, _ start: SquareMatrix, into next: SquareMatrix, _ factor: SquareMatrix
  ) {
    shift(negated, start)
    inner.multiplySymmetric(shifted, shifted)
    inner.addDiagonal(-Self.missing)
    factor.multiplySymmetric(shifted, inner)
    factor.addDiagonal(23 / 27)
    next.multiply(start, factor)
  }

  /// Computes V.
  private func shift(_ negated: SquareMatrix, _ start: SquareMatrix) {
    shifted.multiplySymmetric(negated, start)
    shifted.addDiagonal(7 / 3 * Self.scale)
  }

  /// The gradients of Z and N from that of Z′.
  ///
  /// All gradients are kept transposed (here g = dZ′ᵀ); then no product needs a transposed factor:
  /// ```
  /// D = ½·(g·Z + (g·Z)ᵀ)        dZᵀ = S·g
  /// W = V·D                     R = V·(W + ½·Wᵀ)
  /// dV = R + Rᵀ - 4/3·α²·D
  /// dNᵀ += Z·dV                 dZᵀ += dV·N
  /// ```
  /// where D is the symmetric part of dS, and D·V·V + V·D·V + V·V·D = R + Rᵀ.
  ///
  /// - Parameters:
  ///   - factor: S, as the step computed it.
  ///   - gradient: g.
  ///   - dStart: gets dZᵀ.
  ///   - dNegated: dNᵀ, stored or added to.
  func backward(
    _ negated: SquareMatrix, _ start: SquareMatrix, _ factor: SquareMatrix,
    _ gradient: SquareMatrix, into dStart: SquareMatrix, _ dNegated: SquareMatrix, accumulate: Bool,
    _ scratch: InverseScratch
  ) {
    let (d, w, v) = (inner, scratch.w, scratch.v)
    shift(negated, start)
    w.multiply(gradient, start)
    d.combine(w) { _, own, mirrored in (own + mirrored) * 0.5 }
    dStart.multiply(factor, gradient)
    w.multiply(shifted, d)
    v.combine(w) { _, own, mirrored in own + mirrored * 0.5 }
    w.multiply(shifted, v)
    d.combine(w) { before, own, mirrored in own + mirrored - before * Self.missing }
    dNegated.multiply(start, d, accumulate: accumulate)
    dStart.multiply(d, negated, accumulate: true)
  }
}

/// Room for what is between the gradients of one step.
struct InverseScratch {
  let w: SquareMatrix
  let v: SquareMatrix

  init(_ size: Int, _ workspace: Workspace) {
    w = SquareMatrix(size, workspace)
    v = SquareMatrix(size, workspace)
  }
}
