// SPDX-License-Identifier: Apache-2.0

/// y[n, c] = x[n, c] + b[c].
///
/// - Parameters:
///   - x: [N, C].
///   - row: b, [C].
/// - Returns: [N, C].
/// - Complexity: O(N·C).
///
/// Saves: nothing. The gradient of x is that of y, the gradient of b its sum over rows.
package func adding(_ row: Tensor, toRowsOf x: Tensor) -> Tensor {
  let width = x.columns
  precondition(row.count == width, "adding: a row \(row.shape) to \(x.shape)")
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  profileRows("added row", x, passes: 2) {
    parallel(x.rows, by: tileRows) { rows, _ in
      let row = row.pointer
      for n in rows {
        let (from, to) = (x.pointer + n * width, y.pointer + n * width)
        for c in 0..<width { to[c] = from[c] + row[c] }
      }
    }
  }
  return y.recorded("added row", from: x, row) { dy in
    if let target = row.node?.target() {
      profileRows("added row backward", x, passes: 1) {
        DeterministicReduction(rows: x.rows, sum: width).sums(width) { rows, sums, _ in
          for n in rows {
            let from = dy.pointer + n * width
            for c in 0..<width { sums[c] += from[c] }
          }
        }.reduce(0, width, into: target)
      }
    }
    x.node?.accept(dy, count: x.count)
  }
}
