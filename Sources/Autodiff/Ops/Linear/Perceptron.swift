// SPDX-License-Identifier: Apache-2.0

/// y = W₂·applyDropout(f(W₁·x + b₁)): two linear maps with an activation between them, in one pass over tiles
/// of rows.
///
/// - Parameters:
///   - x: [N, I].
///   - inner: W₁ [F, I] and b₁ [F].
///   - outer: W₂, [O, F].
///   - activation: f.
///   - dropout: applied after the activation.
///   - precision: of the operands of the products.
/// - Returns: [N, O].
/// - Complexity: 2·N·F·(I + O) operations forward, and 2·N·F·(3·I + 2·O) backward, of which the third
///   I computes the inner activations again. Memory: the result; nothing of width F is stored.
///
/// Saves: x.
package func perceptron(
  _ x: Tensor, inner: (weight: Tensor, bias: Tensor), outer: Tensor,
  activation: Activation = .gelu, dropout: Dropout = .none, precision: Precision = .fp32
) -> Tensor {
  let kernel = PerceptronKernel(
    first: LinearMap("perceptron", x, inner.weight, inner.bias, precision), outer: outer,
    activation: activation, dropout: dropout)
  precondition(
    outer.shape.count == 2 && outer.shape[1] == inner.weight.rows,
    "perceptron: outer weight \(outer.shape) for inner weight \(inner.weight.shape)")
  let y = Tensor(
    shape: [x.rows, outer.rows], storage: Storage(count: x.rowCapacity * outer.rows))
  kernel.measure("perceptron", inner: 1, outer: 1) { kernel.forward(into: y) }
  return y.recorded("perceptron", from: x, inner.weight, inner.bias, outer) { dy in
    kernel.measure("perceptron backward", inner: 3, outer: 2) { kernel.backward(dy) }
  }
}

private struct PerceptronKernel {
  let first: LinearMap
  let outer: Tensor
  let activation: Activation
  let dropout: Dropout

  private var x: Tensor { first.x }
  private var hidden: Int { first.outputs }
  private var outputs: Int { outer.rows }

  func measure(_ name: String, inner: Int, outer count: Int, _ kernel: () -> Void) {
    Profiler.shared.measure(
      name, flops: 2 * x.rows * hidden * (inner * first.inputs + count * outputs),
      bytes: 4 * (x.rows * (inner * first.inputs + count * outputs) + first.sumCount + outer.count),
      kernel)
  }

  func forward(into y: Tensor) {
    let packed = (inner: first.packedForward(), outer: PackedWeight.forward(outer, first.precision))
    parallel(x.rows, by: tileRows) { rows, workspace in
      let inside = workspace.floats(rows.count * hidden)
      first.forward(
        packed.inner, x.pointer + rows.lowerBound * first.inputs, rows.count, into: inside,
        workspace)
      activation.apply(inside, into: inside, count: rows.count * hidden)
      if dropout.isActive {
        applyDropout(dropout, inside, rows.count, hidden, firstRow: rows.lowerBound, into: inside)
      }
      packed.outer.multiply(
        inside, rows.count, into: y.pointer + rows.lowerBound * outputs, workspace)
    }
  }

  func backward(_ dy: Storage) {
    let packed = (
      inner: first.packedForward(), innerBack: first.packedBackward(),
      outerBack: PackedWeight.backward(outer, first.precision)
    )
    let dx = x.node?.target()
    first.reduceGradients(extra: [(outer.count, outer.node?.target())]) {
      rows, start, sums, workspace in
      let dyTile = dy.pointer + start * outputs
      let xTile = x.pointer + start * first.inputs
      let slope = workspace.floats(rows * hidden)
      let inside = workspace.floats(rows * hidden)
      first.forward(packed.inner, xTile, rows, into: slope, workspace)
      activation.applyKeepingSlope(slope, value: inside, slope: slope, count: rows * hidden)
      let dInside = workspace.floats(rows * hidden)
      packed.outerBack.multiply(dyTile, rows, into: dInside, workspace)
      if dropout.isActive {
        applyDropout(dropout, inside, rows, hidden, firstRow: start, into: inside)
        applyDropout(dropout, dInside, rows, hidden, firstRow: start, into: dInside)
      }
      addWeightGradient(
        dyTile, outputs, inside, hidden, rows, into: sums + first.sumCount, first.precision,
        workspace)
      for i in 0..<rows * hidden { dInside[i] *= slope[i] }
      first.addGradients(dInside, xTile, rows, into: sums, workspace)
      if let dx {
        packed.innerBack.multiply(
          dInside, rows, into: dx.pointer + start * first.inputs, workspace,
          accumulate: dx.accumulate)
      }
    }
  }
}
