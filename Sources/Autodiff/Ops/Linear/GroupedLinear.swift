// SPDX-License-Identifier: Apache-2.0

/// Several linear maps side by side, each on its own columns: y[:, g] = x[:, g]·W_gᵀ + b_g.
///
/// - Parameters:
///   - x: [N, G·I].
///   - weight: the maps one after the other, [G·O, I].
///   - bias: [G·O].
///   - groups: G.
///   - precision: of the operands of the products.
/// - Returns: [N, G·O].
/// - Precondition: the widths agree.
/// - Complexity: 2·N·G·I·O operations forward and twice that backward. Memory: the result.
///
/// Saves: x.
package func groupedLinear(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, groups: Int,
  precision: Precision = .fp32
) -> Tensor {
  let kernel = GroupedLinearKernel(
    map: LinearMap("groupedLinear", x, weight, bias, groups: groups, precision), groups: groups)
  let y = Tensor(
    shape: [x.rows, weight.rows], storage: Storage(count: x.rowCapacity * weight.rows))
  kernel.map.measure("grouped linear", products: 1) { kernel.forward(into: y) }
  return y.recorded("grouped linear", from: x, weight, bias) { dy in
    kernel.map.measure("grouped linear backward", products: 2) { kernel.backward(dy) }
  }
}

private struct GroupedLinearKernel {
  let map: LinearMap
  let groups: Int

  private var x: Tensor { map.x }
  /// O.
  private var outputs: Int { map.outputs / groups }

  /// The weight of one group.
  private func weight(_ group: Int) -> Tensor {
    let count = outputs * map.inputs
    return Tensor(
      shape: [outputs, map.inputs],
      storage: Storage(slice: map.weight.storage, from: group * count, count: count))
  }

  func forward(into y: Tensor) {
    let packed = (0..<groups).map { PackedWeight.forward(weight($0), map.precision) }
    parallel(x.rows, by: tileRows) { rows, workspace in
      let to = y.pointer + rows.lowerBound * map.outputs
      for group in 0..<groups {
        packed[group].multiply(
          x.pointer + rows.lowerBound * x.columns + group * map.inputs, row: x.columns, rows.count,
          into: to + group * outputs, row: map.outputs, workspace)
      }
      addBias(map.bias?.pointer, to, rows.count, map.outputs)
    }
  }

  func backward(_ dy: Storage) {
    let packed = (0..<groups).map { PackedWeight.backward(weight($0), map.precision) }
    let dx = x.node?.target()
    map.reduceGradients { rows, first, sums, workspace in
      let dyTile = dy.pointer + first * map.outputs
      for group in 0..<groups {
        let dyGroup = dyTile + group * outputs
        let column = first * x.columns + group * map.inputs
        addWeightGradient(
          dyGroup, outputs, row: map.outputs, x.pointer + column, map.inputs, row: x.columns, rows,
          into: sums + group * outputs * map.inputs, map.precision, workspace)
        if let dx {
          packed[group].multiply(
            dyGroup, row: map.outputs, rows, into: dx.pointer + column, row: x.columns,
            workspace, accumulate: dx.accumulate)
        }
      }
      if map.bias != nil {
        addColumnSums(
          dyTile, rows, map.outputs, into: sums + map.outputs * map.inputs)
      }
    }
  }
}
