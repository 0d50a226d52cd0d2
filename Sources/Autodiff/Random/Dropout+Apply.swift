// SPDX-License-Identifier: Apache-2.0

/// result = x with dropped elements zero and the others scaled; `first` and `firstColumn` are the
/// numbers of the row and column of x[0], and `row` is the number of floats from one row of the result
/// to the next, `width` where it is nil.
func applyDropout(
  _ dropout: Dropout, _ x: UnsafePointer<Float>, _ rows: Int, _ width: Int, firstRow first: Int,
  firstColumn: Int = 0, into result: UnsafeMutablePointer<Float>, row: Int? = nil
) {
  for r in 0..<rows {
    let key = dropout.rowKey(first + r)
    let from = x + r * width
    let to = result + r * (row ?? width)
    var j = 0
    while j + laneCount <= width {
      store(load(from + j) * dropout.factors(key, firstColumn + j), to + j)
      j += laneCount
    }
    if j < width {
      store(
        load(from + j, count: width - j) * dropout.factors(key, firstColumn + j), to + j,
        count: width - j)
    }
  }
}

/// The same in scratch memory, or x itself where nothing is dropped.
func applyingDropout(
  _ dropout: Dropout, _ x: UnsafeMutablePointer<Float>, _ rows: Int, _ width: Int,
  firstRow first: Int, _ workspace: Workspace
) -> UnsafeMutablePointer<Float> {
  guard dropout.isActive else { return x }
  let result = workspace.floats(rows * width)
  applyDropout(dropout, x, rows, width, firstRow: first, into: result)
  return result
}
