// SPDX-License-Identifier: Apache-2.0

/// y = r + drop₂(a ⊙ σ(b)) with [a | b] = z·Wᵀ + w and z = drop₁(f(x)): a gated linear unit at the end
/// of a residual branch, with the activation before it, in one pass over tiles of rows.
///
/// - Parameters:
///   - residual: r, [N, E].
///   - x: [N, I].
///   - weight: W, [2E, I]; its first E rows give a, the others b.
///   - bias: w, [2E].
///   - activation: f.
///   - dropout: drop₁ (after the activation) and drop₂ (before the residual sum).
///   - precision: of the operands of the products.
/// - Returns: [N, E].
/// - Complexity: 4·N·I·E operations forward and 8·N·I·E backward. Memory: the result, and [N, 2E]
///   where gradients are recorded.
///
/// Saves: x, and a and b, since computing them again would cost 4·N·I·E operations. The gradient of r
/// is the gradient of y itself, handed on without a copy.
///
/// Source: Dauphin et al., "Language Modeling with Gated Convolutional Networks" (2017),
/// arXiv 1612.08083, section 2.
package func gatedLinear(
  _ residual: Tensor, adding x: Tensor, weight: Tensor, bias: Tensor,
  activation: Activation = .gelu, dropout: (inner: Dropout, outer: Dropout) = (.none, .none),
  precision: Precision = .fp32
) -> Tensor {
  let map = LinearMap("gatedLinear", x, weight, bias, precision)
  precondition(
    map.outputs % 2 == 0 && residual.shape == [x.rows, map.outputs / 2],
    "gatedLinear: residual \(residual.shape) for weight \(weight.shape), input \(x.shape)")
  let gate = GatedLinear(
    map: map, activation: activation, innerDropout: dropout.inner, outerDropout: dropout.outer)
  let y = Tensor(shape: residual.shape, storage: Storage(count: residual.storage.count))
  let inputs = [residual, x, weight, bias]
  let records = inputs.contains { $0.node != nil }
  let kept = records ? Storage(count: x.rowCapacity * map.outputs) : nil
  map.measure("gated linear", products: 1) {
    gate.forward(residual.pointer, into: y.pointer, keeping: kept)
  }
  let (shortcut, count) = (residual.node, residual.count)
  return y.recorded("gated linear", from: inputs, saving: kept.map { [$0] } ?? []) { dy in
    guard let kept else { return }
    map.measure("gated linear backward", products: 2) { gate.backward(dy.pointer, kept) }
    shortcut?.accept(dy, count: count)
  }
}

private struct GatedLinear {
  let map: LinearMap
  let activation: Activation
  let innerDropout: Dropout
  let outerDropout: Dropout
  private var width: Int { map.outputs / 2 }

  /// - Parameter kept: where a and b are kept.
  func forward(
    _ residual: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, keeping kept: Storage?
  ) {
    let packed = map.packedForward()
    parallel(map.x.rows, by: tileRows) { rows, workspace in
      let (first, count) = (rows.lowerBound, rows.count)
      let inside = workspace.floats(count * map.inputs)
      activation.apply(
        map.x.pointer + first * map.inputs, into: inside, count: count * map.inputs)
      if innerDropout.isActive {
        applyDropout(innerDropout, inside, count, map.inputs, firstRow: first, into: inside)
      }
      let halves =
        kept.map { $0.pointer + first * map.outputs } ?? workspace.floats(count * map.outputs)
      map.forward(packed, inside, count, into: halves, workspace)
      let out = y + first * width
      for r in 0..<count { gate(halves + r * map.outputs, into: out + r * width) }
      if outerDropout.isActive {
        applyDropout(outerDropout, out, count, width, firstRow: first, into: out)
      }
      let from = residual + first * width
      for i in 0..<count * width { out[i] += from[i] }
    }
  }

  /// out = a ⊙ σ(b) of one row.
  private func gate(_ halves: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
    forLanes(0..<width) { j, lanes in
      let (a, b) = (load(halves + j, count: lanes), load(halves + width + j, count: lanes))
      store(a * sigmoid(b), out + j, count: lanes)
    }
  }

  func backward(_ dy: UnsafeMutablePointer<Float>, _ kept: Storage) {
    let packed = map.packedBackward()
    let dx = map.x.node?.target()
    map.reduceGradients { rows, first, sums, workspace in
      let slope = workspace.floats(rows * map.inputs)
      slope.update(from: map.x.pointer + first * map.inputs, count: rows * map.inputs)
      let inside = workspace.floats(rows * map.inputs)
      activation.applyKeepingSlope(
        slope, value: inside, slope: slope, count: rows * map.inputs)
      if innerDropout.isActive {
        applyDropout(innerDropout, inside, rows, map.inputs, firstRow: first, into: inside)
      }
      let halves = kept.pointer + first * map.outputs
      let dBranch = applyingDropout(
        outerDropout, dy + first * width, rows, width, firstRow: first, workspace)
      for r in 0..<rows { differentiate(halves + r * map.outputs, dBranch + r * width) }
      map.addGradients(halves, inside, rows, into: sums, workspace)
      guard let dx else { return }
      let dInside = workspace.floats(rows * map.inputs)
      packed.multiply(halves, rows, into: dInside, workspace)
      if innerDropout.isActive {
        applyDropout(innerDropout, dInside, rows, map.inputs, firstRow: first, into: dInside)
      }
      let to = dx.pointer + first * map.inputs
      if dx.accumulate {
        for i in 0..<rows * map.inputs { to[i] += dInside[i] * slope[i] }
      } else {
        for i in 0..<rows * map.inputs { to[i] = dInside[i] * slope[i] }
      }
    }
  }

  /// Replaces a and b of one row by their gradients: dy ⊙ σ(b) and dy ⊙ a ⊙ σ(b)·(1 - σ(b)).
  private func differentiate(_ halves: UnsafeMutablePointer<Float>, _ dy: UnsafePointer<Float>) {
    forLanes(0..<width) { j, lanes in
      let (a, b) = (load(halves + j, count: lanes), load(halves + width + j, count: lanes))
      let open = sigmoid(b)
      let da = load(dy + j, count: lanes) * open
      store(da, halves + j, count: lanes)
      store(da * a * (1 - open), halves + width + j, count: lanes)
    }
  }
}
