// SPDX-License-Identifier: Apache-2.0

/// y = r + applyDropout(x): the end of a residual branch without a linear map.
///
/// - Parameters:
///   - residual: r, [N, E].
///   - x: [N, E].
///   - dropout: applied to the branch before it is added.
/// - Returns: [N, E].
/// - Complexity: O(N·E) time; memory: the result.
///
/// Saves: nothing. The gradient of r is the gradient of y itself, handed on without a copy.
package func residualSum(
  _ residual: Tensor, adding x: Tensor, dropout: Dropout = .none
) -> Tensor {
  precondition(residual.shape == x.shape, "residualSum: \(residual.shape) and \(x.shape)")
  let sum = ResidualSum(rows: x.rows, width: x.columns, dropout: dropout)
  let y = Tensor(shape: x.shape, storage: Storage(count: residual.storage.count))
  sum.measure("residual sum", passes: 3) { sum.forward(residual.pointer, x.pointer, y.pointer) }
  let (shortcut, branch) = (residual.node, x.node)
  return y.recorded("residual sum", from: residual, x) { dy in
    if let branch {
      sum.measure("residual sum backward", passes: 2) {
        sum.backward(dy.pointer, into: branch.target())
      }
    }
    shortcut?.accept(dy, count: sum.rows * sum.width)
  }
}

private struct ResidualSum {
  let rows: Int
  let width: Int
  let dropout: Dropout

  func measure(_ name: String, passes: Int, _ kernel: () -> Void) {
    Profiler.shared.measure(
      name, flops: rows * width, bytes: 4 * passes * rows * width, kernel)
  }

  func forward(
    _ residual: UnsafePointer<Float>, _ x: UnsafeMutablePointer<Float>,
    _ y: UnsafeMutablePointer<Float>
  ) {
    forEachTile(x) { branch, first, count in
      let (from, to) = (residual + first, y + first)
      for i in 0..<count { to[i] = from[i] + branch[i] }
    }
  }

  func backward(_ dy: UnsafeMutablePointer<Float>, into dx: GradientTarget) {
    forEachTile(dy) { branch, first, count in
      let to = dx.pointer + first
      if dx.accumulate {
        for i in 0..<count { to[i] += branch[i] }
      } else {
        to.update(from: branch, count: count)
      }
    }
  }

  /// Calls `body` with a tile of drop(x), the place of its first element and their number.
  private func forEachTile(
    _ x: UnsafeMutablePointer<Float>, _ body: (UnsafePointer<Float>, Int, Int) -> Void
  ) {
    parallel(rows, by: tileRows) { tile, workspace in
      let first = tile.lowerBound * width
      body(
        applyingDropout(
          dropout, x + first, tile.count, width, firstRow: tile.lowerBound, workspace),
        first, tile.count * width)
    }
  }
}
