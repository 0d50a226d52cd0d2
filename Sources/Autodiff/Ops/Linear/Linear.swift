// SPDX-License-Identifier: Apache-2.0

/// y = f(x·Wᵀ + b), row by row.
///
/// - Parameters:
///   - x: [N, I].
///   - weight: W, [O, I].
///   - bias: b, [O].
///   - activation: f.
/// - Returns: [N, O].
/// - Precondition: the widths agree.
/// - Complexity: 2·N·I·O operations forward, twice that backward (three times with an activation,
///   whose argument is computed again). Memory: the result.
///
/// Saves: x.
package func linear(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, activation: Activation = .identity
) -> Tensor {
  let map = LinearMap("linear", x, weight, bias)
  let y = Tensor(
    shape: [x.rows, map.outputs], storage: Storage(count: x.rowCapacity * map.outputs))
  map.measure("linear", products: 1) {
    let packed = PackedWeight.forward(weight)
    parallel(x.rows, by: tileRows) { rows, _ in
      map.forward(
        packed, x.pointer + rows.lowerBound * map.inputs, rows.count,
        into: y.pointer + rows.lowerBound * map.outputs)
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
    let forward = recompute == 1 ? PackedWeight.forward(map.weight) : nil
    let backward = PackedWeight.backward(map.weight)
    let dx = x.node?.target()
    map.reduceGradients { rows, first, sums, workspace in
      let dyTile = dy.pointer + first * map.outputs
      let xTile = x.pointer + first * map.inputs
      if let forward {
        let argument = workspace.floats(rows * map.outputs)
        map.forward(forward, xTile, rows, into: argument)
        activation.applySlope(argument, dyTile, count: rows * map.outputs)
      }
      map.addGradients(
        dyTile, xTile, rows, into: sums, workspace,
        prefetching: PrefetchCursor(dyTile + rows * map.outputs, count: rows * map.outputs))
      if let dx {
        backward.multiply(
          dyTile, rows, into: dx.pointer + first * map.inputs, accumulate: dx.accumulate,
          prefetching: PrefetchCursor(xTile + rows * map.inputs, count: rows * map.inputs))
      }
    }
  }
}
