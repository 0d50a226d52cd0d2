// SPDX-License-Identifier: Apache-2.0

/// What attention adds to the products of queries and keys before the softmax. With i the position
/// of a query in its sequence and j that of a key:
package enum AttentionBias {
  /// Nothing.
  case none
  /// b[j], a number for each key and head: heads of width 1, rows of the keys.
  case keyBias(HeadsView)
  /// a[i, j mod A]·c[i, ⌊j/A⌋] of heads of widths A and C, rows of the queries; A·C keys at most.
  case outer(HeadsView, HeadsView)
  /// f·R[h·Lmax + i, j], the same for all sequences: R is [H·Lmax, Lmax], f has one element or is 1.
  case table(Tensor, factor: Tensor?)

  /// Everything that gradients flow to.
  var tensors: [Tensor?] {
    switch self {
    case .none: []
    case .keyBias(let bias): [bias.tensor]
    case .outer(let a, let c): [a.tensor, c.tensor]
    case .table(let table, let factor): [table, factor]
    }
  }

  /// Heads whose gradients are written row by row.
  var heads: [HeadsView] {
    switch self {
    case .none, .table: []
    case .keyBias(let bias): [bias]
    case .outer(let a, let c): [a, c]
    }
  }

  /// The number of values in it.
  var count: Int { tensors.reduce(0) { $0 + ($1?.count ?? 0) } }

  func check(heads: Int, _ queries: PackedSequences, _ keys: PackedSequences) {
    switch self {
    case .none: break
    case .keyBias(let bias):
      precondition(
        bias.count == heads && bias.width == 1 && bias.tensor.rows == keys.rows,
        "attention: \(bias.tensor.shape) is no bias for \(keys.rows) keys and \(heads) heads")
    case .outer(let a, let c):
      precondition(
        a.count == heads && c.count == heads && a.tensor.rows == queries.rows
          && c.tensor.rows == queries.rows && a.width * c.width >= keys.longest,
        "attention: \(a.tensor.shape) and \(c.tensor.shape) are no term for \(queries.rows) rows, "
          + "\(heads) heads and \(keys.longest) keys")
    case .table(let table, let factor):
      precondition(
        table.rows == heads * table.columns && (factor?.count ?? 1) == 1
          && table.columns >= max(queries.longest, keys.longest),
        "attention: \(table.shape) is no table for \(heads) heads, \(queries.longest) queries and "
          + "\(keys.longest) keys")
    }
  }

  /// Adds a tile of the term, in units of log 2.
  ///
  /// - Parameter row: floats from one row of scores to the next.
  func add(_ tile: LogitTile, to scores: UnsafeMutablePointer<Float>, row: Int) {
    switch self {
    case .none: break
    case .keyBias(let bias): addBias(bias, tile, to: scores, row: row)
    case .outer(let a, let c):
      for (r, global) in tile.rows.enumerated() {
        let (fine, coarse) = (a.pointer(global, tile.head), c.pointer(global, tile.head))
        tile.forEachRun(of: a.width) { j, run in
          let factor = coarse[run.block] * AttentionKernel.log2e
          addScaled(fine + run.place, factor, scores + r * row + j, count: run.count)
        }
      }
    case .table(let table, let factor):
      let scale = (factor?.pointer[0] ?? 1) * AttentionKernel.log2e
      for r in 0..<tile.rows.count {
        addScaled(
          tile.pointer(r, table), scale, scores + r * row, count: tile.keys.count)
      }
    }
  }

  /// The bias lies in a column, so it is gathered once for all rows.
  private func addBias(
    _ bias: HeadsView, _ tile: LogitTile, to scores: UnsafeMutablePointer<Float>, row: Int
  ) {
    let count = tile.keys.count
    withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
      guard let line = buffer.baseAddress else { return }
      let from = bias.pointer(tile.firstKey + tile.keys.lowerBound, tile.head)
      for j in 0..<count { line[j] = from[j * bias.stride] }
      for r in 0..<tile.rows.count {
        addScaled(line, AttentionKernel.log2e, scores + r * row, count: count)
      }
    }
  }
}
