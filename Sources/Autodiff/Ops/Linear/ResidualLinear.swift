// SPDX-License-Identifier: Apache-2.0

/// y = r + applyDropout(x·Wᵀ + b): the end of a residual branch in one pass.
///
/// - Parameters:
///   - residual: r, [N, O].
///   - x: [N, I].
///   - weight: W, [O, I].
///   - bias: b, [O].
///   - dropout: applied to the branch before it is added.
///   - precision: of the operands of the products.
/// - Returns: [N, O].
/// - Complexity: 2·N·I·O operations forward, twice that backward. Memory: the result.
///
/// Saves: x. The gradient of r is the gradient of y itself, handed on without a copy.
package func residualLinear(
  _ residual: Tensor, adding x: Tensor, weight: Tensor, bias: Tensor? = nil,
  dropout: Dropout = .none, precision: Precision = .fp32
) -> Tensor {
  let map = LinearMap("residualLinear", x, weight, bias, precision)
  precondition(
    residual.shape == [x.rows, map.outputs],
    "residualLinear: residual \(residual.shape) for a result of [\(x.rows), \(map.outputs)]")
  let width = map.outputs
  let y = Tensor(shape: residual.shape, storage: Storage(count: residual.storage.count))
  map.measure("residual linear", products: 1) {
    let packed = map.packedForward()
    parallel(x.rows, by: tileRows) { rows, workspace in
      let out = y.pointer + rows.lowerBound * width
      let from = residual.pointer + rows.lowerBound * width
      map.forward(
        packed, x.pointer + rows.lowerBound * map.inputs, rows.count, into: out, workspace,
        prefetching: PrefetchCursor(from, count: rows.count * width))
      if dropout.isActive {
        applyDropout(dropout, out, rows.count, width, firstRow: rows.lowerBound, into: out)
      }
      for i in 0..<rows.count * width { out[i] += from[i] }
    }
  }
  return y.recorded("residual linear", from: residual, x, weight, bias) { dy in
    residualLinearBackward(map, dropout, dy)
    residual.node?.accept(dy, count: residual.count)
  }
}

private func residualLinearBackward(_ map: LinearMap, _ dropout: Dropout, _ dy: Storage) {
  map.measure("residual linear backward", products: 2) {
    let packed = map.packedBackward()
    let dx = map.x.node?.target()
    map.reduceGradients { rows, first, sums, workspace in
      let dyTile = applyingDropout(
        dropout, dy.pointer + first * map.outputs, rows, map.outputs, firstRow: first, workspace)
      let xTile = map.x.pointer + first * map.inputs
      map.addGradients(
        dyTile, xTile, rows, into: sums, workspace,
        prefetching: PrefetchCursor(
          dy.pointer + (first + rows) * map.outputs, count: rows * map.outputs))
      if let dx {
        packed.multiply(
          dyTile, rows, into: dx.pointer + first * map.inputs, workspace, accumulate: dx.accumulate,
          prefetching: PrefetchCursor(xTile + rows * map.inputs, count: rows * map.inputs))
      }
    }
  }
}
