/// A matrix in memory whose element (row, column) lies at `base[row * row + column * column]`.
struct StridedMatrix {
  let base: UnsafePointer<Float>
  /// Floats from one row to the next.
  let row: Int
  /// Floats from one column to the next.
  let column: Int
}
