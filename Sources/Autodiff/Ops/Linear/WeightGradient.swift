// SPDX-License-Identifier: Apache-2.0

/// dW[O × I] += dyᵀ·x over the rows of a tile, all row-major.
///
/// Where the weight is large, a slice of O at a time, copied so that its columns can be read fast, since
/// every panel of x passes over it.
///
/// - Parameters:
///   - dyRow: floats from one row of dy to the next; nil for O.
///   - xRow: the same of x; nil for I.
///   - prefetching: prefetched while the product runs.
func addWeightGradient(
  _ dy: UnsafePointer<Float>, _ outputs: Int, row dyRow: Int? = nil, _ x: UnsafePointer<Float>,
  _ inputs: Int, row xRow: Int? = nil, _ rows: Int, into sum: UnsafeMutablePointer<Float>,
  _ workspace: Workspace, prefetching: PrefetchCursor = .none
) {
  let dy = StridedMatrix(base: dy, rowStride: 1, columnStride: dyRow ?? outputs)
  let panels = gradientPanels(
    x, inputs, row: xRow, rows: rows, room: workspace.panels(rows, inputs))
  guard outputs * inputs >= 1 << 17 else {
    return gemm(
      rows: outputs, columns: inputs, inner: rows, dy, panels, into: sum, stride: inputs,
      accumulate: true, prefetching: prefetching)
  }
  let slice = 4 * Panels.width
  let room = workspace.floats(rows * paddedStride(slice))
  let slices = (outputs + slice - 1) / slice
  for index in 0..<slices {
    let first = index * slice
    let count = min(slice, outputs - first)
    copyPadded(dy.base + first, row: dy.columnStride, rows, count, into: room)
    gemm(
      rows: count, columns: inputs, inner: rows,
      StridedMatrix(base: room, rowStride: 1, columnStride: paddedStride(count)), panels,
      into: sum + first * inputs, stride: inputs, accumulate: true,
      prefetching: prefetching.part(index, of: slices))
  }
}

/// Floats from one row to the next of a matrix that is read by columns: a power of two would put all
/// of a column into a few places of the first-level cache.
func paddedStride(_ width: Int) -> Int {
  (width + laneCount - 1) / laneCount * laneCount + laneCount
}

/// Copies rows so that they lie ``paddedStride(_:)`` apart.
func copyPadded(
  _ source: UnsafePointer<Float>, row: Int, _ rows: Int, _ width: Int,
  into target: UnsafeMutablePointer<Float>
) {
  for r in 0..<rows {
    copyRow(source + r * row, count: width, padded: width, into: target + r * paddedStride(width))
  }
}

/// x[rows × inputs], the right-hand side of a weight's gradient, in panels: in place where whole
/// panels of all rows fit the first-level cache as they lie.
///
/// - Parameters:
///   - row: floats from one row of x to the next; nil for `inputs`.
///   - room: where panels are written, as many floats as ``Panels/floatCount(inner:columns:)`` says.
func gradientPanels(
  _ x: UnsafePointer<Float>, _ inputs: Int, row: Int? = nil, rows: Int,
  room: @autoclosure () -> UnsafeMutablePointer<Float>
) -> Panels {
  if inputs % Panels.width == 0 && rows * inputs <= 128 * tileRows {
    return Panels(rowMajor: x, stride: row ?? inputs)
  }
  return Panels.pack(rows: x, stride: row ?? inputs, inner: rows, columns: inputs, into: room())
}
