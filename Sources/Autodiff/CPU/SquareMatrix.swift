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
    self.size = size
    padded = Panels.count(size) * Panels.width
    row = padded + laneCount
    base = workspace.floats(size * row)
  }

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

  /// self = factor·a.
  func assign(_ a: SquareMatrix, times factor: Float) {
    for i in stride(from: 0, to: size * row, by: laneCount) {
      store(load(a.base + i) * factor, base + i)
    }
  }

  /// self += factor·a.
  func add(_ a: SquareMatrix, times factor: Float) {
    for i in stride(from: 0, to: size * row, by: laneCount) {
      store(load(base + i).addingProduct(load(a.base + i), Lanes(repeating: factor)), base + i)
    }
  }

  /// self += value·I.
  func addDiagonal(_ value: Float) {
    for i in 0..<size { base[i * row + i] += value }
  }

  /// self = factor·aᵀ.
  func assignTransposed(_ a: SquareMatrix, times factor: Float) {
    for i in 0..<size {
      for j in 0..<size { base[i * row + j] = a.base[j * row + i] * factor }
      for j in size..<padded { base[i * row + j] = 0 }
    }
  }
}

/// One step of the iterated inverse, and its gradient.
///
/// The matrix to invert comes negated, N = -A, because products can only be added:
/// ```
/// Y = N·Z    T = 15I + 7Y + Y·Y    S = ¼·(13I + Y·T)    Z′ = Z·S
/// ```
struct InverseStep {
  /// Z before the step.
  var start: SquareMatrix
  private let product: SquareMatrix
  private let inner: SquareMatrix
  private let factor: SquareMatrix

  init(_ size: Int, _ workspace: Workspace) {
    start = SquareMatrix(size, workspace)
    product = SquareMatrix(size, workspace)
    inner = SquareMatrix(size, workspace)
    factor = SquareMatrix(size, workspace)
  }

  /// next = Z′.
  func run(_ negated: SquareMatrix, into next: SquareMatrix) {
    product.multiply(negated, start)
    inner.assign(product, times: 7)
    inner.addDiagonal(15)
    inner.multiply(product, product, accumulate: true)
    factor.multiply(product, inner)
    factor.assign(factor, times: 0.25)
    factor.addDiagonal(13 / 4)
    next.multiply(start, factor)
  }

  /// The gradients of Z and N from that of Z′.
  ///
  /// All gradients are kept transposed (here g = dZ′ᵀ); then no product needs a transposed factor:
  /// ```
  /// dSᵀ = g·Z           dZᵀ = S·g
  /// dYᵀ = ¼·T·dSᵀ       dTᵀ = ¼·dSᵀ·Y
  /// dYᵀ += 7·dTᵀ + Y·dTᵀ + dTᵀ·Y
  /// dNᵀ += Z·dYᵀ        dZᵀ += dYᵀ·N
  /// ```
  /// - Parameters:
  ///   - gradient: g, which is used up.
  ///   - dStart: gets dZᵀ.
  ///   - dNegated: dNᵀ, stored or added to.
  func backward(
    _ negated: SquareMatrix, _ gradient: SquareMatrix, into dStart: SquareMatrix,
    _ dNegated: SquareMatrix, accumulate: Bool, _ scratch: InverseScratch
  ) {
    let (dFactor, dProduct, dInner) = (scratch.dFactor, scratch.dProduct, gradient)
    dFactor.multiply(gradient, start)
    dStart.multiply(factor, gradient)
    dFactor.assign(dFactor, times: 0.25)
    dProduct.multiply(inner, dFactor)
    dInner.multiply(dFactor, product)
    dProduct.add(dInner, times: 7)
    dProduct.multiply(product, dInner, accumulate: true)
    dProduct.multiply(dInner, product, accumulate: true)
    dNegated.multiply(start, dProduct, accumulate: accumulate)
    dStart.multiply(dProduct, negated, accumulate: true)
  }
}

/// Room for the gradients inside one step.
struct InverseScratch {
  let dFactor: SquareMatrix
  let dProduct: SquareMatrix

  init(_ size: Int, _ workspace: Workspace) {
    dFactor = SquareMatrix(size, workspace)
    dProduct = SquareMatrix(size, workspace)
  }
}
