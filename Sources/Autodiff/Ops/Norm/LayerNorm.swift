// SPDX-License-Identifier: Apache-2.0

/// y = scale ⊙ (x - mean) / √(var + ε) + shift, row by row.
///
/// - Parameters:
///   - x: [N, E].
///   - norm: scale and shift, [E].
/// - Returns: [N, E].
/// - Complexity: O(N·E) time and memory.
///
/// Saves: x.
///
/// Source: Ba, Kiros and Hinton (2016), arXiv 1607.06450.
package func layerNorm(_ x: Tensor, norm: Norm) -> Tensor {
  let width = norm.scale.count
  precondition(x.columns == width, "layerNorm: input \(x.shape) for a norm of \(width)")
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  profileRows("layer norm", x, passes: 2) {
    parallel(x.rows, by: tileRows) { rows, _ in
      norm.tile.forward(
        x.pointer + rows.lowerBound * width, rows.count, into: y.pointer + rows.lowerBound * width)
    }
  }
  return y.recorded("layer norm", from: x, norm.scale, norm.shift) { dy in
    profileRows("layer norm backward", x, passes: 3) { layerNormBackward(x, norm, dy) }
  }
}

private func layerNormBackward(_ x: Tensor, _ norm: Norm, _ dy: Storage) {
  let width = norm.scale.count
  let dx = x.node?.target()
  let pieces = DeterministicReduction(rows: x.rows, sum: 2 * width)
  let partial = pieces.sums(2 * width) { rows, sums, workspace in
    let first = rows.lowerBound * width
    NormWorkspace(norm, x.pointer + first, rows.count, workspace).backward(
      dy.pointer + first, rows.count, into: dx.map { ($0.pointer + first, $0.accumulate) },
      sums: sums, workspace)
  }
  if let target = norm.scale.node?.target() { partial.reduce(0, width, into: target) }
  if let target = norm.shift.node?.target() { partial.reduce(width, width, into: target) }
}
