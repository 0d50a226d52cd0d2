// SPDX-License-Identifier: Apache-2.0

/// A matrix in memory: element (row, column) lies at `base[row * rowStride + column * columnStride]`.
struct StridedMatrix {
  let base: UnsafePointer<Float>
  /// Floats from one row to the next.
  let rowStride: Int
  /// Floats from one column to the next.
  let columnStride: Int

  /// The rows from one on.
  @inline(__always)
  func rows(from first: Int) -> StridedMatrix {
    StridedMatrix(
      base: base + first * rowStride, rowStride: rowStride, columnStride: columnStride)
  }

  /// The columns from one on.
  @inline(__always)
  func columns(from first: Int) -> StridedMatrix {
    StridedMatrix(
      base: base + first * columnStride, rowStride: rowStride, columnStride: columnStride)
  }

  /// Whether the first `rows` and `columns` are memory that may be read.
  func holds(rows: Int, columns: Int) -> Bool {
    rows == 0 || columns == 0
      || MemoryBounds.allows(
        base, count: (rows - 1) * rowStride + (columns - 1) * columnStride + 1)
  }
}
