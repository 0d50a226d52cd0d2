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

/// y = LayerNorm(x)·Wᵀ + b in one pass: the normalised rows are never stored.
///
/// - Parameters:
///   - x: [N, I].
///   - norm: γ and β, [I].
///   - weight: W, [O, I].
///   - bias: b, [O].
/// - Returns: [N, O].
/// - Complexity: 2·N·I·O operations forward, twice that backward. Memory: the result.
///
/// Saves: x; the normalisation is computed again in the backward pass.
///
/// Source: Ba, Kiros and Hinton, "Layer Normalization" (2016), arXiv 1607.06450.
public func normalizedLinear(
  _ x: Tensor, norm: Norm, weight: Tensor, bias: Tensor? = nil
) -> Tensor {
  let map = LinearMap("normalizedLinear", x, weight, bias)
  precondition(
    norm.scale.count == map.inputs, "normalizedLinear: norm of \(norm.scale.count) for \(x.shape)")
  let y = Tensor(
    shape: [x.rows, map.outputs], storage: Storage(count: x.rowCapacity * map.outputs))
  map.measure("normalized linear", products: 1) {
    let packed = PackedWeight.forward(weight)
    parallel(x.rows, by: tileRows) { rows, workspace in
      let count = rows.count * map.inputs
      let from = x.pointer + rows.lowerBound * map.inputs
      let normalized = workspace.floats(count)
      norm.tile.forward(from, rows.count, into: normalized)
      map.forward(
        packed, normalized, rows.count, into: y.pointer + rows.lowerBound * map.outputs,
        ahead: Ahead(from + count, count: count))
    }
  }
  return y.recorded("normalized linear", from: x, norm.scale, norm.shift, weight, bias) { dy in
    normalizedLinearBackward(map, norm, dy)
  }
}

private func normalizedLinearBackward(_ map: LinearMap, _ norm: Norm, _ dy: Storage) {
  map.measure("normalized linear backward", products: 2) {
    let width = map.inputs
    let packed = PackedWeight.backward(map.weight)
    let dx = map.x.node?.target()
    let normSums = map.sumCount
    map.reduceGradients(extra: [
      (width, norm.scale.node?.target()), (width, norm.shift.node?.target()),
    ]) { rows, first, sums, workspace in
      let (count, dyCount) = (rows * width, rows * map.outputs)
      let xTile = map.x.pointer + first * width
      let dyTile = dy.pointer + first * map.outputs
      let tile = NormScratch(norm, xTile, rows, workspace)
      map.addGradients(
        dyTile, tile.output, rows, into: sums, workspace,
        ahead: Ahead(dyTile + dyCount, count: dyCount))
      let dNormalized = workspace.floats(count)
      packed.multiply(
        dyTile, rows, into: dNormalized, ahead: Ahead(xTile + count, count: count))
      tile.backward(
        dNormalized, rows, into: dx.map { ($0.pointer + first * width, $0.accumulate) },
        sums: sums + normSums, workspace)
    }
  }
}

/// The normalised rows of a tile, kept between the two directions of a fused operation.
struct NormScratch {
  private let tile: NormTile
  private let normalized: UnsafeMutablePointer<Float>
  private let inverse: UnsafeMutablePointer<Float>
  /// scale ⊙ x̂ + shift, [rows, E].
  let output: UnsafeMutablePointer<Float>

  /// Room for so many rows.
  init(_ norm: Norm, rows: Int, _ workspace: Workspace) {
    tile = norm.tile
    normalized = workspace.floats(rows * tile.width)
    output = workspace.floats(rows * tile.width)
    inverse = workspace.floats(rows)
  }

  /// The normalised rows of x.
  init(_ norm: Norm, _ x: UnsafePointer<Float>, _ rows: Int, _ workspace: Workspace) {
    self.init(norm, rows: rows, workspace)
    read(x, rows)
  }

  /// Normalises the rows of x.
  func read(_ x: UnsafePointer<Float>, _ rows: Int) {
    tile.forward(x, rows, into: output, normalized: normalized, inverseDeviation: inverse)
  }

  /// Stores or adds dx, and adds dScale to `sums` and dShift behind it.
  func backward(
    _ dy: UnsafePointer<Float>, _ rows: Int,
    into dx: (pointer: UnsafeMutablePointer<Float>, accumulate: Bool)?,
    sums: UnsafeMutablePointer<Float>, _ workspace: Workspace
  ) {
    tile.backward(
      dy, rows, normalized: normalized, inverseDeviation: inverse,
      into: dx?.pointer ?? workspace.floats(rows * tile.width),
      accumulate: dx?.accumulate ?? false, dScale: sums, dShift: sums + tile.width)
  }
}
