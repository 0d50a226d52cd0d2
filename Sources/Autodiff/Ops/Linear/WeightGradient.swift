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
  _ precision: Precision = .fp32, _ workspace: Workspace, prefetching: PrefetchCursor = .none
) {
  let mark = workspace.mark
  defer { workspace.rewind(to: mark) }
  let panels = gradientPanels(x, inputs, row: xRow, rows: rows, precision, workspace)
  let isLarge = outputs * inputs >= 1 << 17
  let slice = isLarge ? 4 * Panels.width : outputs
  let slices = (outputs + slice - 1) / slice
  for index in 0..<slices {
    let first = index * slice
    let count = min(slice, outputs - first)
    let mark = workspace.mark
    gemm(
      rows: count, columns: inputs, inner: rows,
      .transpose(
        dy + first, row: dyRow ?? outputs, rows: rows, columns: count, isCopied: isLarge,
        precision.ofGradients, workspace),
      panels, into: sum + first * inputs, stride: inputs, accumulate: true,
      prefetching: prefetching.part(index, of: slices))
    workspace.rewind(to: mark)
  }
}

/// Floats from one row to the next of a matrix that is read by columns: a power of two would put all
/// of a column into a few places of the first-level cache.
func paddedStride(_ width: Int) -> Int { wholeVectors(width) + laneCount }

/// x[rows × inputs], the right-hand side of a weight's gradient, in panels: in place where whole
/// panels of all rows fit the first-level cache as they lie.
///
/// Of bytes it is the numbers that they stand for.
///
/// - Parameter row: floats from one row of x to the next; nil for `inputs`.
func gradientPanels(
  _ x: UnsafePointer<Float>, _ inputs: Int, row: Int? = nil, rows: Int, _ precision: Precision,
  _ workspace: Workspace
) -> Panels {
  if precision == .int8 {
    return gradientPanels(
      byteRoundedRows(x, row: row ?? inputs, rows: rows, columns: inputs, workspace), inputs,
      rows: rows, .fp32, workspace)
  }
  if precision == .fp32 && inputs % Panels.width == 0 && rows * inputs <= 128 * tileRows {
    return Panels(rowMajor: x, stride: row ?? inputs)
  }
  return Panels.pack(
    rows: x, stride: row ?? inputs, inner: rows, columns: inputs,
    into: workspace.panels(rows, inputs, precision: precision), precision: precision)
}
