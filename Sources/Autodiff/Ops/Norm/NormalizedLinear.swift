// SPDX-License-Identifier: Apache-2.0

/// y = LayerNorm(x)·Wᵀ + b in one pass: the normalised rows are never stored.
///
/// - Parameters:
///   - x: [N, I].
///   - norm: γ and β, [I].
///   - weight: W, [O, I].
///   - bias: b, [O].
///   - precision: of the operands of the products.
/// - Returns: [N, O].
/// - Complexity: 2·N·I·O operations forward, twice that backward. Memory: the result.
///
/// Saves: x; the normalisation is computed again in the backward pass.
///
/// Source: Ba, Kiros and Hinton, "Layer Normalization" (2016), arXiv 1607.06450.
package func normalizedLinear(
  _ x: Tensor, norm: Norm, weight: Tensor, bias: Tensor? = nil,
  precision: Precision = .fp32
) -> Tensor {
  let map = NormalizedMap(x, norm, weight, bias, precision)
  let y = map.makeResult()
  map.measure("normalized linear", products: 1) {
    let packed = map.packedForward()
    parallel(x.rows, by: tileRows) { rows, workspace in
      map.forward(packed, rows, into: y, workspace)
    }
  }
  return y.recorded("normalized linear", from: map.inputs) { dy in
    map.measure("normalized linear backward", products: 2) { map.backward(dy) }
  }
}

/// The same, and the sum of the normalised rows of each piece, without reading x again.
///
/// ```
/// s[p] = Σᵢ LayerNorm(x)[i]      i over the rows of piece p
/// ```
/// - Parameters:
///   - x: [N, I].
///   - norm: γ and β, [I].
///   - weight: W, [O, I].
///   - bias: b, [O].
///   - pieces: of the sequences of x.
///   - precision: of the operands of the products.
/// - Returns: y, [N, O], and s, [number of pieces, I].
/// - Complexity: as ``normalizedLinear(_:norm:weight:bias:)``, and N·I additions in each direction.
package func normalizedLinear(
  _ x: Tensor, norm: Norm, weight: Tensor, bias: Tensor? = nil, sumsOf pieces: SequencePieces,
  precision: Precision = .fp32
) -> (rows: Tensor, sums: Tensor) {
  let map = NormalizedMap(x, norm, weight, bias, precision)
  precondition(
    x.rows == pieces.rows.rows,
    "normalizedLinear: \(x.shape) for pieces of \(pieces.rows.rows) rows")
  let (y, width) = (map.makeResult(), x.columns)
  let sums = Tensor(
    shape: [pieces.rows.count, width],
    storage: Storage(count: pieces.sequences.rowCapacity * width))
  map.measure("normalized linear", products: 1) {
    let packed = map.packedForward()
    parallel(pieces.rows.count) { piece, workspace in
      let sum = sums.pointer + piece * width
      sum.update(repeating: 0, count: width)
      for rows in pieces.rows.tiles(piece) {
        workspace.reset()
        let normalized = map.forward(packed, rows, into: y, workspace)
        addColumnSums(normalized, rows.count, width, into: sum)
      }
    }
  }
  let results = Tensor.recorded("normalized linear", [y, sums], from: map.inputs) { gradients in
    map.measure("normalized linear backward", products: 2) {
      map.backward(gradients[0], ofSums: (gradients[1], pieces.rows))
    }
  }
  return (results[0], results[1])
}

/// A linear map of normalised rows, a tile at a time.
private struct NormalizedMap {
  private let map: LinearMap
  private let norm: Norm

  init(
    _ x: Tensor, _ norm: Norm, _ weight: Tensor, _ bias: Tensor?, _ precision: Precision
  ) {
    map = LinearMap("normalizedLinear", x, weight, bias, precision)
    self.norm = norm
    precondition(
      norm.scale.count == map.inputs,
      "normalizedLinear: norm of \(norm.scale.count) for \(x.shape)")
  }

  /// What gradients flow to.
  var inputs: [Tensor?] { [map.x, norm.scale, norm.shift, map.weight, map.bias] }

  func makeResult() -> Tensor {
    Tensor(
      shape: [map.x.rows, map.outputs],
      storage: Storage(count: map.x.rowCapacity * map.outputs))
  }

  func measure(_ name: String, products: Int, _ kernel: () -> Void) {
    map.measure(name, products: products, kernel)
  }

  func packedForward() -> PackedWeight { map.packedForward() }

  /// - Returns: the normalised rows, in scratch memory.
  @discardableResult
  func forward(
    _ packed: PackedWeight, _ rows: Range<Int>, into y: Tensor, _ workspace: Workspace
  ) -> UnsafePointer<Float> {
    let count = rows.count * map.inputs
    let from = map.x.pointer + rows.lowerBound * map.inputs
    let normalized = workspace.floats(count)
    norm.tile.forward(from, rows.count, into: normalized)
    map.forward(
      packed, normalized, rows.count, into: y.pointer + rows.lowerBound * map.outputs, workspace,
      prefetching: PrefetchCursor(from + count, count: count))
    return UnsafePointer(normalized)
  }

  /// - Parameter ofSums: the gradient of the sums of the normalised rows of segments.
  func backward(_ dy: Storage, ofSums: (dy: Storage, sequences: PackedSequences)? = nil) {
    let width = map.inputs
    let packed = map.packedBackward()
    let dx = map.x.node?.target()
    let normSums = map.sumCount
    map.reduceGradients(extra: [
      (width, norm.scale.node?.target()), (width, norm.shift.node?.target()),
    ]) { rows, first, sums, workspace in
      let (count, dyCount) = (rows * width, rows * map.outputs)
      let xTile = map.x.pointer + first * width
      let dyTile = dy.pointer + first * map.outputs
      let tile = NormWorkspace(norm, xTile, rows, workspace)
      map.addGradients(
        dyTile, tile.output, rows, into: sums, workspace,
        prefetching: PrefetchCursor(dyTile + dyCount, count: dyCount))
      let dNormalized = workspace.floats(count)
      packed.multiply(
        dyTile, rows, into: dNormalized, workspace,
        prefetching: PrefetchCursor(xTile + count, count: count))
      if let (dySums, sequences) = ofSums {
        sequences.addRows(dySums.pointer, width, to: dNormalized, first..<first + rows)
      }
      tile.backward(
        dNormalized, rows, into: dx.map { ($0.pointer + first * width, $0.accumulate) },
        sums: sums + normSums, workspace)
    }
  }
}

extension PackedSequences {
  /// Adds to each of some rows the row of its segment.
  ///
  /// - Parameters:
  ///   - source: one row for each segment.
  ///   - target: the first of `rows`.
  fileprivate func addRows(
    _ source: UnsafePointer<Float>, _ width: Int, to target: UnsafeMutablePointer<Float>,
    _ rows: Range<Int>
  ) {
    var segment = index(of: rows.lowerBound)
    while segment < count && offsets[segment] < rows.upperBound {
      let part = range(segment).clamped(to: rows)
      addBias(
        source + segment * width, target + (part.lowerBound - rows.lowerBound) * width, part.count,
        width)
      segment += 1
    }
  }
}
