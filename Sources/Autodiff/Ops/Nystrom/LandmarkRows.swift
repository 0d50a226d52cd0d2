// SPDX-License-Identifier: Apache-2.0

/// One head's rows of the landmarks of a sequence, filled up with zeros to whole panels.
struct LandmarkRows {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  let width: Int
  /// Floats from one row to the next.
  let row: Int

  /// Room for rows.
  init(_ count: Int, width: Int, _ workspace: Workspace) {
    self.count = count
    self.width = width
    row = Panels.padded(width)
    base = workspace.floats(count * row)
  }

  var left: StridedMatrix { StridedMatrix(base: base, rowStride: row, columnStride: 1) }
  var panels: Panels { Panels(rowMajor: base, stride: row) }

  /// Takes rows that lie `sourceRow` floats apart.
  func copy(_ source: UnsafePointer<Float>, row sourceRow: Int) {
    for i in 0..<count {
      copyRow(source + i * sourceRow, count: width, padded: row, into: base + i * row)
    }
  }

  /// self = matrix·rows.
  func multiply(_ matrix: StridedMatrix, _ rows: LandmarkRows) {
    gemm(
      rows: count, columns: row, inner: count, matrix, rows.panels, into: base, stride: row,
      accumulate: false)
  }
}
