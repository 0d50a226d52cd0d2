// SPDX-License-Identifier: Apache-2.0

/// Some rows, packed.
///
/// ```
/// y[i] = x[rows[i]]
/// ```
/// - Parameters:
///   - x: [N, E].
///   - rows: rows of x, ascending.
///   - capacity: rows to make room for, at least those; as many as x has unless said otherwise.
/// - Returns: [rows.count, E].
/// - Complexity: the result's size forward, O(N·E) backward.
///
/// Saves: nothing. The pullback puts each row of dy back into its place; other rows get zero.
package func selectedRows(_ x: Tensor, _ rows: [Int], capacity: Int? = nil) -> Tensor {
  let width = x.columns
  let capacity = capacity ?? x.rowCapacity
  precondition(capacity >= rows.count, "selectedRows: \(rows.count) rows, room for \(capacity)")
  precondition(
    zip(rows, rows.dropFirst()).allSatisfy(<) && (rows.first ?? 0) >= 0
      && (rows.last ?? 0) < max(x.rows, 1), "selectedRows: rows that do not ascend in \(x.shape)")
  let y = Tensor(shape: [rows.count, width], storage: Storage(count: capacity * width))
  profileCopy("selected rows", y.count) {
    for (to, from) in rows.enumerated() {
      (y.pointer + to * width).update(from: x.pointer + from * width, count: width)
    }
  }
  return y.recorded("selected rows", from: x) { dy in
    guard let dx = x.node?.target() else { return }
    profileRows("selected rows backward", x, passes: 1) {
      if !dx.accumulate { dx.pointer.update(repeating: 0, count: x.count) }
      for (from, to) in rows.enumerated() {
        let (from, to) = (dy.pointer + from * width, dx.pointer + to * width)
        for j in 0..<width { to[j] += from[j] }
      }
    }
  }
}
