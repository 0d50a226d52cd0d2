// SPDX-License-Identifier: Apache-2.0

/// A matrix in memory: element (row, column) lies at `base[row * rowStride + column * columnStride]`.
///
/// Of bfloat16 an element is two, of bytes four, that stand for neighbouring columns.
struct StridedMatrix {
  let base: UnsafePointer<Float>
  /// Floats from one row to the next.
  let rowStride: Int
  /// Floats from one column to the next.
  let columnStride: Int
  /// Of the elements.
  let precision: Precision
  /// What the bytes of each row are multiplied by; nil for others.
  let scales: UnsafePointer<Float>?

  init(
    base: UnsafePointer<Float>, rowStride: Int, columnStride: Int, precision: Precision = .fp32,
    scales: UnsafePointer<Float>? = nil
  ) {
    self.base = base
    self.rowStride = rowStride
    self.columnStride = columnStride
    self.precision = precision
    self.scales = scales
  }

  /// The rows from one on.
  @inline(__always)
  func rows(from first: Int) -> StridedMatrix {
    StridedMatrix(
      base: base + first * rowStride, rowStride: rowStride, columnStride: columnStride,
      precision: precision, scales: scales.map { $0 + first })
  }

  /// The columns from one on.
  @inline(__always)
  func columns(from first: Int) -> StridedMatrix {
    StridedMatrix(
      base: base + first * columnStride, rowStride: rowStride, columnStride: columnStride,
      precision: precision, scales: scales)
  }

  /// Whether the first `rows` and `columns` are memory that may be read.
  func holds(rows: Int, columns: Int) -> Bool {
    rows == 0 || columns == 0
      || MemoryBounds.allows(
        base, count: (rows - 1) * rowStride + (columns - 1) * columnStride + 1)
  }
}

extension StridedMatrix {
  /// A row-major matrix in a precision: where it lies, or rounded into the workspace.
  ///
  /// - Parameter row: floats from one row to the next.
  static func rows(
    _ base: UnsafePointer<Float>, row: Int, rows: Int, columns: Int, _ precision: Precision,
    _ workspace: Workspace
  ) -> StridedMatrix {
    if precision == .fp32 { return StridedMatrix(base: base, rowStride: row, columnStride: 1) }
    if precision == .int8 {
      return byteRows(base, row: row, rows: rows, columns: columns, workspace)
    }
    let stride = wholeVectors(precision.steps(columns))
    let copy = workspace.floats(rows * stride)
    precision.copyRows(base, row: row, rows: rows, columns: columns, into: copy, row: stride)
    return StridedMatrix(base: copy, rowStride: stride, columnStride: 1, precision: precision)
  }

  /// The transpose of a row-major matrix of so many rows and columns, as
  /// ``rows(_:row:rows:columns:_:_:)``.
  ///
  /// - Parameter isCopied: whether it is copied in any precision, so that its columns can be read fast.
  static func transpose(
    _ base: UnsafePointer<Float>, row: Int, rows: Int, columns: Int, isCopied: Bool = false,
    _ precision: Precision, _ workspace: Workspace
  ) -> StridedMatrix {
    if precision == .fp32 && !isCopied {
      return StridedMatrix(base: base, rowStride: 1, columnStride: row)
    }
    let stride = paddedStride(columns)
    let copy = workspace.floats(precision.steps(rows) * stride)
    precision.copySteps(
      base, row: row, rows: rows, columns: columns, padded: columns, into: copy, row: stride)
    return StridedMatrix(base: copy, rowStride: 1, columnStride: stride, precision: precision)
  }
}
