// SPDX-License-Identifier: Apache-2.0

/// A tile of queries of one block: scores, weights and the result, in scratch memory.
///
/// Scores are kept in units of log 2, as in ``AttentionKernel``, and have a row for each key and a
/// column for each query: only queries have to be transposed for them, of which there are fewer than
/// mixed and own keys, and a vector holds the maxima or sums of sixteen queries.
struct SortedBlockTile {
  /// Floats from one key's scores to the next one's.
  static let scoreRow = tileRows + laneCount

  let kernel: SortedBlockKernel
  let rows: SortedRows
  /// Q/√D, [tileRows, padded].
  let queryRows: UnsafeMutablePointer<Float>
  /// Scores, then weights.
  let scores: UnsafeMutablePointer<Float>
  private let queryColumns: UnsafeMutablePointer<Float>
  private let result: UnsafeMutablePointer<Float>
  /// The bits of each query's dropout key.
  private let dropKeys: UnsafeMutablePointer<Float>
  /// For each query the largest score, then the logarithm of the sum of powers.
  private let maxima: UnsafeMutablePointer<Float>
  /// For each query the sum of powers, then its inverse.
  private let sums: UnsafeMutablePointer<Float>

  init(_ kernel: SortedBlockKernel, _ rows: SortedRows, _ workspace: Workspace) {
    self.kernel = kernel
    self.rows = rows
    queryRows = workspace.floats(tileRows * kernel.padded)
    scores = workspace.floats(BlockKeys.capacity(rows.layout) * Self.scoreRow)
    queryColumns = workspace.floats(tileRows * kernel.width)
    result = workspace.floats(tileRows * kernel.padded)
    dropKeys = workspace.floats(tileRows)
    maxima = workspace.floats(tileRows)
    sums = workspace.floats(tileRows)
  }

  /// Rows of whole blocks of eight, since products of fewer rows are slow; what the others hold does
  /// not matter.
  static func whole(_ rows: Int) -> Int { (rows + 7) & ~7 }

  func keys(_ part: BlockKeys.Part) -> BlockMatrix {
    part.isMixed ? rows.mixedKeys : rows.ownKeys
  }

  func values(_ part: BlockKeys.Part) -> BlockMatrix {
    part.isMixed ? rows.mixedValues : rows.ownValues
  }

  /// Writes the result of some queries, and the logarithm to base 2 of each one's sum of
  /// exponentials.
  func attend(_ keys: BlockKeys, _ queries: Range<Int>, into y: Tensor, _ logSums: Storage) {
    computeScores(keys, queries)
    for first in stride(from: 0, to: queries.count, by: laneCount) { exponentiate(keys, first) }
    for (index, part) in keys.enumerated() {
      gemm(
        rows: Self.whole(queries.count), columns: kernel.padded, inner: part.count,
        transposed(scores, part), values(part).panels(of: part.block), into: result,
        stride: kernel.padded, accumulate: index > 0)
    }
    for (r, row) in queries.enumerated() {
      logSums.pointer[row * kernel.heads + rows.head] = maxima[r]
      let to = y.pointer + row * y.columns + rows.head * kernel.width
      prefetch(to + tileRows * y.columns, count: kernel.width)
      let from = result + r * kernel.padded
      scaleRow(from, count: kernel.width, by: sums[r], into: to)
    }
  }

  /// Takes the queries, and multiplies the keys with them.
  func computeScores(_ keys: BlockKeys, _ queries: Range<Int>) {
    copyRows(kernel.query, queries, rows.head, scale: kernel.scale, into: queryRows)
    pack(queryRows, queries.count, scale: AttentionKernel.log2e, into: queryColumns)
    for part in keys { product(self.keys(part), part, queries.count, queryColumns, into: scores) }
    guard kernel.dropout.isActive else { return }
    for (r, row) in queries.enumerated() {
      dropKeys[r] = Float(bitPattern: kernel.dropout.rowKey(row, rows.head + 1))
    }
  }

  /// Packs rows of queries, [rows × padded], as columns.
  func pack(
    _ source: UnsafePointer<Float>, _ queries: Int, scale: Float,
    into columns: UnsafeMutablePointer<Float>
  ) {
    Panels.pack(
      transposed: source, stride: kernel.padded, inner: kernel.width, columns: queries,
      into: columns, scale: scale)
  }

  /// result [the part's keys × queries] = rows of the part · packed columns.
  func product(
    _ matrix: BlockMatrix, _ part: BlockKeys.Part, _ queries: Int,
    _ columns: UnsafePointer<Float>, into result: UnsafeMutablePointer<Float>
  ) {
    gemm(
      rows: Self.whole(part.count), columns: Panels.padded(queries), inner: kernel.width,
      StridedMatrix(base: matrix.row(part.block), rowStride: matrix.padded, columnStride: 1),
      Panels(packed: columns, inner: kernel.width), into: result + part.row * Self.scoreRow,
      stride: Self.scoreRow, accumulate: false)
  }

  /// The part's scores, or numbers like them, with a row for each query.
  func transposed(_ scores: UnsafePointer<Float>, _ part: BlockKeys.Part) -> StridedMatrix {
    StridedMatrix(
      base: scores + part.row * Self.scoreRow, rowStride: 1, columnStride: Self.scoreRow)
  }

  /// Turns the scores of sixteen queries into dropped weights that are still to be divided by their
  /// sum.
  private func exponentiate(_ keys: BlockKeys, _ first: Int) {
    var high = Lanes(repeating: -.infinity)
    forEachKey(keys) { at, bias, _ in high = lanewiseMax(high, load(scores + at + first) + bias) }
    var sum = Lanes()
    forEachKey(keys) { at, bias, _ in
      let power = exp2(load(scores + at + first) + (bias - high))
      sum += power
      store(power, scores + at + first)
    }
    if kernel.dropout.isActive {
      forEachKey(keys) { at, _, key in
        store(load(scores + at + first) * factors(key, first), scores + at + first)
      }
    }
    store(high + log2(sum), maxima + first)
    store(1 / sum, sums + first)
  }

  /// Calls `body` with the place of each key's scores, what is added to them, and the key's number.
  @inline(__always)
  func forEachKey(_ keys: BlockKeys, _ body: (Int, Float, Int) -> Void) {
    for part in keys {
      let validity = rows.validity(part)
      for j in 0..<part.count {
        body((part.row + j) * Self.scoreRow, validity?[j] ?? 0, part.first + j)
      }
    }
  }

  /// What dropout multiplies a key's weights with, for sixteen queries.
  @inline(__always)
  func factors(_ key: Int, _ first: Int) -> Lanes {
    let rowKeys = unsafeBitCast(load(dropKeys + first), to: SIMD16<UInt32>.self)
    return kernel.dropout.factors(rowKeys, column: key)
  }
}
