// SPDX-License-Identifier: Apache-2.0

/// y = a·b.
///
/// ``linear(_:weight:bias:activation:)`` multiplies by a trained weight, which it keeps transposed.
///
/// - Parameters:
///   - a: [M, K].
///   - b: [K, N].
/// - Returns: [M, N].
/// - Complexity: O(M·K·N).
///
/// Saves: a and bᵀ. The pullback is da = dy·bᵀ, db = aᵀ·dy.
package func matrixProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
  precondition(a.columns == b.rows, "matrixProduct: \(a.shape) times \(b.shape)")
  return linear(a, weight: transposed(b))
}

/// Rows and columns exchanged.
///
/// - Parameter x: [M, N].
/// - Returns: [N, M].
/// - Complexity: O(M·N).
///
/// Saves: nothing. The pullback is dx = dyᵀ.
package func transposed(_ x: Tensor) -> Tensor {
  let (rows, columns) = (x.rows, x.columns)
  let y = Tensor(shape: [columns, rows], storage: Storage(count: rows * columns))
  profileCopy("transpose", x.count) {
    transpose(
      x.pointer, rows, columns, into: GradientTarget(pointer: y.pointer, accumulate: false))
  }
  return y.recorded("transpose", from: x) { dy in
    guard let target = x.node?.target() else { return }
    profileCopy("transpose backward", x.count) {
      transpose(dy.pointer, columns, rows, into: target)
    }
  }
}

/// Stores or adds the transpose of a matrix, in blocks of 16 × 16, which the first-level cache holds.
private func transpose(
  _ x: UnsafePointer<Float>, _ rows: Int, _ columns: Int, into target: GradientTarget
) {
  parallel(columns, by: laneCount) { part, _ in
    for first in stride(from: 0, to: rows, by: laneCount) {
      for column in part {
        for row in first..<min(rows, first + laneCount) {
          target.store(x[row * columns + column], at: column * rows + row)
        }
      }
    }
  }
}
