import Foundation

/// A tile of queries of one block: scores, weights and the result, in scratch memory.
///
/// Scores are kept in units of log 2, as in ``AttentionKernel``.
struct SortedBlockTile {
  let kernel: SortedBlockKernel
  let rows: SortedRows
  /// Floats from one row of scores to the next.
  let scoreRow: Int
  /// Q/√D, [tileRows, padded].
  let queryRows: UnsafeMutablePointer<Float>
  /// Scores, then weights.
  let scores: UnsafeMutablePointer<Float>
  private let keyColumns: UnsafeMutablePointer<Float>
  private let result: UnsafeMutablePointer<Float>
  private let inverseSums: UnsafeMutablePointer<Float>

  init(_ kernel: SortedBlockKernel, _ rows: SortedRows, _ workspace: Workspace) {
    self.kernel = kernel
    self.rows = rows
    let columns = BlockKeys.capacity(rows.layout)
    scoreRow = columns + laneCount
    queryRows = workspace.zeros(tileRows * kernel.padded)
    scores = workspace.floats(tileRows * scoreRow)
    keyColumns = workspace.floats(columns * kernel.width)
    result = workspace.floats(tileRows * kernel.padded)
    inverseSums = workspace.floats(tileRows)
  }

  func keys(_ part: BlockKeys.Part) -> BlockMatrix {
    part.isMixed ? rows.mixedKeys : rows.ownKeys
  }

  func values(_ part: BlockKeys.Part) -> BlockMatrix {
    part.isMixed ? rows.mixedValues : rows.ownValues
  }

  /// Packs the keys of a block as columns.
  func pack(_ keys: BlockKeys) {
    for part in keys {
      pack(part, self.keys(part), scale: AttentionKernel.log2e, into: keyColumns)
    }
  }

  /// Packs the values of a block as columns.
  func packValues(_ keys: BlockKeys, into columns: UnsafeMutablePointer<Float>) {
    for part in keys { pack(part, values(part), scale: 1, into: columns) }
  }

  private func pack(
    _ part: BlockKeys.Part, _ matrix: BlockMatrix, scale: Float,
    into columns: UnsafeMutablePointer<Float>
  ) {
    packTransposed(
      matrix.row(part.block), row: matrix.padded, inner: kernel.width, columns: part.count,
      into: columns + part.column * kernel.width, scale: scale)
  }

  /// Writes the result of some queries, and the logarithm to base 2 of each row's sum of
  /// exponentials.
  func attend(_ keys: BlockKeys, _ queries: Range<Int>, into y: Tensor, _ logSums: Storage) {
    computeScores(keys, queries)
    for (r, row) in queries.enumerated() {
      let line = scores + r * scoreRow
      let (high, sum) = exponentiate(line, count: keys.columns)
      logSums.pointer[row * kernel.heads + rows.head] = high + log2(sum)
      inverseSums[r] = 1 / sum
      if kernel.dropout.isActive { drop(line, keys, row) }
    }
    for (index, part) in keys.enumerated() {
      multiply(
        rows: Self.whole(queries.count), columns: kernel.padded, inner: part.count,
        StridedMatrix(base: scores + part.column, row: scoreRow, column: 1),
        values(part).panels(of: part.block), into: result, row: kernel.padded,
        accumulate: index > 0)
    }
    for (r, row) in queries.enumerated() {
      let to = y.pointer + row * y.columns + rows.head * kernel.width
      let from = result + r * kernel.padded
      for j in 0..<kernel.width { to[j] = from[j] * inverseSums[r] }
    }
  }

  /// Rows of whole blocks of eight, since products of fewer rows are slow; what the others hold does
  /// not matter.
  static func whole(_ rows: Int) -> Int { (rows + 7) & ~7 }

  /// Takes the queries, and multiplies them with the packed keys; columns without a key become -∞.
  func computeScores(_ keys: BlockKeys, _ queries: Range<Int>) {
    copyRows(kernel.query, queries, rows.head, scale: kernel.scale, into: queryRows)
    product(queryRows, queries.count, keys, packed: keyColumns, into: scores)
    for part in keys {
      for r in 0..<queries.count {
        let line = scores + r * scoreRow + part.column
        if part.isMixed { addValidity(part, line) }
        for j in part.count..<part.padded { line[j] = -.infinity }
      }
    }
  }

  private func addValidity(_ part: BlockKeys.Part, _ line: UnsafeMutablePointer<Float>) {
    let from = rows.validity + part.block * rows.layout.size
    for j in 0..<part.count { line[j] += from[j] }
  }

  /// result [rows × the block's columns] = left [rows × D] · packed columns.
  func product(
    _ left: UnsafePointer<Float>, _ count: Int, _ keys: BlockKeys,
    packed: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>
  ) {
    multiply(
      rows: Self.whole(count), columns: keys.columns, inner: kernel.width,
      StridedMatrix(base: left, row: kernel.padded, column: 1),
      Panels(base: packed, step: Panels.width, panel: Panels.width * kernel.width),
      into: result, row: scoreRow, accumulate: false)
  }

  private func drop(_ line: UnsafeMutablePointer<Float>, _ keys: BlockKeys, _ row: Int) {
    forEachFactor(keys, row) { column, factor in
      store(load(line + column) * factor, line + column)
    }
  }

  /// What dropout multiplies the weights of a query with, by vectors of columns.
  @inline(__always)
  func forEachFactor(_ keys: BlockKeys, _ row: Int, _ body: (Int, Lanes) -> Void) {
    let key = kernel.dropout.rowKey(row, rows.head + 1)
    for part in keys {
      for j in stride(from: 0, to: part.padded, by: laneCount) {
        body(part.column + j, kernel.dropout.factors(key, part.first + j))
      }
    }
  }
}
