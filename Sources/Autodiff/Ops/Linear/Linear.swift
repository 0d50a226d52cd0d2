// SPDX-License-Identifier: Apache-2.0

/// y = f(x·Wᵀ + b), row by row.
///
/// - Parameters:
///   - x: [N, I].
///   - weight: W, [O, I].
///   - bias: b, [O].
///   - activation: f.
///   - precision: of the operands of the products.
/// - Returns: [N, O].
/// - Precondition: the widths agree.
/// - Complexity: 2·N·I·O operations forward, twice that backward (three times with an activation,
///   whose argument is computed again). Memory: the result.
///
/// Saves: x.
package func linear(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, activation: Activation = .identity,
  precision: Precision = .fp32
) -> Tensor {
  let map = LinearMap("linear", x, weight, bias, precision)
  let y = Tensor(
    shape: [x.rows, map.outputs], storage: Storage(count: x.rowCapacity * map.outputs))
  map.measure("linear", products: 1) {
    let packed = map.packedForward()
    parallel(x.rows, by: tileRows) { rows, workspace in
      map.forward(
        packed, x.pointer + rows.lowerBound * map.inputs, rows.count,
        into: y.pointer + rows.lowerBound * map.outputs, workspace)
      let out = y.pointer + rows.lowerBound * map.outputs
      activation.apply(out, into: out, count: rows.count * map.outputs)
    }
  }
  return y.recorded("linear", from: x, weight, bias) { dy in
    linearBackward(map, activation, dy)
  }
}

private func linearBackward(_ map: LinearMap, _ activation: Activation, _ dy: Storage) {
  let recompute = activation == .identity ? 0 : 1
  map.measure("linear backward", products: 2 + recompute) {
    let x = map.x
    let forward = recompute == 1 ? map.packedForward() : nil
    let backward = map.packedBackward()
    let dx = x.node?.target()
    map.reduceGradients { rows, first, sums, workspace in
      let dyTile = dy.pointer + first * map.outputs
      let xTile = x.pointer + first * map.inputs
      if let forward {
        let argument = workspace.floats(rows * map.outputs)
        map.forward(forward, xTile, rows, into: argument, workspace)
        activation.applySlope(argument, dyTile, count: rows * map.outputs)
      }
      map.addGradients(
        dyTile, xTile, rows, into: sums, workspace,
        prefetching: PrefetchCursor(dyTile + rows * map.outputs, count: rows * map.outputs))
      if let dx {
        backward.multiply(
          dyTile, rows, into: dx.pointer + first * map.inputs, workspace, accumulate: dx.accumulate,
          prefetching: PrefetchCursor(xTile + rows * map.inputs, count: rows * map.inputs))
      }
    }
  }
}
