// SPDX-License-Identifier: Apache-2.0

/// The columns of a packed tensor [N, …] that hold one of query, key and value: `count` heads of
/// `width` columns each, beginning at `column`.
///
/// Queries, keys and values that come from one product stay in one tensor; heads are addressed by
/// column, so nothing is ever transposed or copied apart.
package struct HeadsView {
  /// [N, columns].
  package let tensor: Tensor
  /// The first column.
  package let column: Int
  /// H, the number of heads.
  package let count: Int
  /// D, the columns of one head.
  package let width: Int

  /// - Precondition: the heads lie inside the tensor's columns.
  package init(_ tensor: Tensor, column: Int = 0, count: Int, width: Int) {
    precondition(
      column >= 0 && column + count * width <= tensor.columns,
      "heads: \(count) × \(width) columns from \(column) exceed \(tensor.shape)")
    self.tensor = tensor
    self.column = column
    self.count = count
    self.width = width
    stride = tensor.columns
  }

  /// Floats from one row to the next.
  let stride: Int

  /// The columns of all heads.
  var columns: Range<Int> { column..<column + count * width }

  /// The first element of a row of one head.
  func pointer(_ row: Int, _ head: Int) -> UnsafeMutablePointer<Float> {
    tensor.pointer + column + row * stride + head * width
  }
}
