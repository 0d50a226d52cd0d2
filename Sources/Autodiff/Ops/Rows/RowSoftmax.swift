// SPDX-License-Identifier: Apache-2.0

/// y[n, c] = e^x[n, c] / Σ_k e^x[n, k].
///
/// Attention has kernels of its own, which never hold such a matrix; this is for small ones.
///
/// - Parameter x: [N, C], C at least 1.
/// - Returns: [N, C].
/// - Complexity: O(N·C).
///
/// Saves: y. The pullback is dx = y·(dy − Σ_k dy_k·y_k).
package func rowSoftmax(_ x: Tensor) -> Tensor {
  let width = x.columns
  let result = Storage(count: x.storage.count)
  profileRows("row softmax", x, passes: 3) {
    parallel(x.rows, by: tileRows) { rows, _ in
      for n in rows { softmax(x.pointer + n * width, width, into: result.pointer + n * width) }
    }
  }
  return Tensor(shape: x.shape, storage: result).recorded("row softmax", from: x) { dy in
    profileRows("row softmax backward", x, passes: 4) {
      parallel(x.rows, by: tileRows) { rows, _ in
        for n in rows {
          let (y, d) = (result.pointer + n * width, dy.pointer + n * width)
          let sum = innerProduct(y, d, count: width)
          for c in 0..<width { d[c] = y[c] * (d[c] - sum) }
        }
      }
    }
    x.node?.accept(dy, count: x.count)
  }
}

private func softmax(
  _ x: UnsafePointer<Float>, _ width: Int, into y: UnsafeMutablePointer<Float>
) {
  var high = x[0]
  for c in 1..<max(width, 1) { high = max(high, x[c]) }
  forLanes(0..<width) { c, count in
    store(exp(load(x + c, count: count, fill: high) - high), y + c, count: count)
  }
  var sum: Float = 0
  for c in 0..<width { sum += y[c] }
  scaleRow(y, count: width, by: 1 / sum, into: y)
}
