// SPDX-License-Identifier: Apache-2.0

/// Some queries and keys of one sequence and head.
struct LogitTile {
  /// Rows of the packed queries.
  let rows: Range<Int>
  /// Positions of the keys in their sequence.
  let keys: Range<Int>
  /// The row at which the sequence of the queries begins.
  let first: Int
  /// The row at which that of the keys begins.
  let firstKey: Int
  let head: Int

  /// The table's value for the tile's row `r` and its first key.
  func pointer(_ r: Int, _ table: Tensor) -> UnsafeMutablePointer<Float> {
    let length = table.columns
    return table.pointer + (head * length + rows.lowerBound - first + r) * length
      + keys.lowerBound
  }

  /// Neighbouring keys that differ in j mod A only.
  struct Run {
    /// ⌊j/A⌋.
    let block: Int
    /// j mod A of the first one.
    let place: Int
    let count: Int
  }

  /// Calls `body(keys before it in the tile, run)` for all keys.
  @inline(__always)
  func forEachRun(of width: Int, _ body: (Int, Run) -> Void) {
    var j = 0
    while j < keys.count {
      let (block, place) = (keys.lowerBound + j).quotientAndRemainder(dividingBy: width)
      let run = Run(block: block, place: place, count: min(width - place, keys.count - j))
      body(j, run)
      j += run.count
    }
  }
}
