/// y = r + drop(x): a residual branch that ends without a linear map.
///
/// - Parameters:
///   - residual: r, [N, C].
///   - x: [N, C].
///   - dropout: applied to x before it is added.
/// - Returns: [N, C].
/// - Complexity: O(N·C) time and memory.
///
/// Saves: nothing. The gradient of y is handed on to r without a copy.
public func residual(_ residual: Tensor, adding x: Tensor, dropout: Dropout = .none) -> Tensor {
  let width = x.columns
  precondition(residual.shape == x.shape, "residual: \(residual.shape) and \(x.shape) differ")
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  measureRows("residual", x, passes: 3) {
    parallel(x.rows, by: tileRows) { rows, _ in
      let first = rows.lowerBound * width
      let to = y.pointer + first
      to.update(from: x.pointer + first, count: rows.count * width)
      if dropout.isActive {
        drop(dropout, to, rows.count, width, firstRow: rows.lowerBound, into: to)
      }
      let from = residual.pointer + first
      for i in 0..<rows.count * width { to[i] += from[i] }
    }
  }
  return y.recorded("residual", from: residual, x) { dy in
    if let dx = x.node?.target() {
      measureRows("residual backward", x, passes: 2) {
        parallel(x.rows, by: tileRows) { rows, workspace in
          addDropped(dropout, dy, rows, width, into: dx, workspace)
        }
      }
    }
    residual.node?.accept(dy, count: residual.count)
  }
}

/// Stores or adds the gradient of a tile of x: dy where x was kept.
private func addDropped(
  _ dropout: Dropout, _ dy: Storage, _ rows: Range<Int>, _ width: Int, into dx: GradientTarget,
  _ workspace: Workspace
) {
  let first = rows.lowerBound * width
  var from = dy.pointer + first
  if dropout.isActive {
    let dropped = workspace.floats(rows.count * width)
    drop(dropout, from, rows.count, width, firstRow: rows.lowerBound, into: dropped)
    from = dropped
  }
  let to = dx.pointer + first
  if dx.accumulate {
    for i in 0..<rows.count * width { to[i] += from[i] }
  } else {
    to.update(from: from, count: rows.count * width)
  }
}
