// SPDX-License-Identifier: Apache-2.0

/// Rows that a fused operation takes through all its stages before the next ones, so that what
/// lies between the stages stays in the second-level cache.
let tileRows = 64

/// Adds `bias` to each row.
func addBias(
  _ bias: UnsafePointer<Float>?, _ y: UnsafeMutablePointer<Float>, _ rows: Int, _ width: Int
) {
  guard let bias else { return }
  for r in 0..<rows {
    let row = y + r * width
    for j in 0..<width { row[j] += bias[j] }
  }
}

/// sum[j] += Σ rows of y[row, j].
///
/// - Parameter row: floats from one row to the next; nil for `width`.
func addColumnSums(
  _ y: UnsafePointer<Float>, row: Int? = nil, _ rows: Int, _ width: Int,
  into sum: UnsafeMutablePointer<Float>
) {
  for r in 0..<rows {
    let row = y + r * (row ?? width)
    for j in 0..<width { sum[j] += row[j] }
  }
}
