// SPDX-License-Identifier: Apache-2.0

/// y[n] = Σ_c x[n, c].
///
/// ``meanPool(_:sequences:)`` has the mean over the rows of each sequence.
///
/// - Parameter x: [N, C].
/// - Returns: [N, 1].
/// - Complexity: O(N·C).
///
/// Saves: nothing. The pullback is dx[n, c] = dy[n].
package func rowSums(_ x: Tensor) -> Tensor {
  let width = x.columns
  let y = Tensor(shape: [x.rows, 1], storage: Storage(count: x.rowCapacity))
  profileRows("row sums", x, passes: 1) {
    parallel(x.rows, by: tileRows) { rows, _ in
      for n in rows {
        var lanes = Lanes()
        forLanes(0..<width) { c, count in lanes += load(x.pointer + n * width + c, count: count) }
        y.pointer[n] = horizontalSum(lanes)
      }
    }
  }
  return y.recorded("row sums", from: x) { dy in
    guard let target = x.node?.target() else { return }
    profileRows("row sums backward", x, passes: 1) {
      parallel(x.rows, by: tileRows) { rows, _ in
        for n in rows {
          for c in 0..<width { target.store(dy.pointer[n], at: n * width + c) }
        }
      }
    }
  }
}

/// y[n] = Σ_c x[n, c] / C, [N, 1].
package func rowMeans(_ x: Tensor) -> Tensor { scaled(rowSums(x), by: 1 / Float(x.columns)) }
