/// What attention adds to the products of queries and keys before the softmax. With i the position
/// of a query in its sequence and j that of a key:
public enum LogitTerm {
  /// Nothing.
  case none
  /// b[j], a number for each key and head: heads of width 1, rows of the keys.
  case keyBias(Heads)
  /// a[i, j mod A]·c[i, ⌊j/A⌋] of heads of widths A and C, rows of the queries; A·C keys at most.
  case outer(Heads, Heads)
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
  var heads: [Heads] {
    switch self {
    case .none, .table: []
    case .keyBias(let bias): [bias]
    case .outer(let a, let c): [a, c]
    }
  }

  /// The number of values in it.
  var count: Int { tensors.reduce(0) { $0 + ($1?.count ?? 0) } }

  func check(heads: Int, _ queries: Segments, _ keys: Segments) {
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
    _ bias: Heads, _ tile: LogitTile, to scores: UnsafeMutablePointer<Float>, row: Int
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

/// sum += factor·x.
@inline(__always)
private func addScaled(
  _ x: UnsafePointer<Float>, _ factor: Float, _ sum: UnsafeMutablePointer<Float>, count: Int
) {
  for j in 0..<count { sum[j] += factor * x[j] }
}

/// The gradient of ``LogitTerm/keyBias(_:)`` for the keys of one sequence and head: db[j] = Σᵢ dS[i, j].
struct KeyBiasGradient {
  private let bias: Heads
  private let sums: UnsafeMutablePointer<Float>

  /// Nil for other terms.
  ///
  /// - Parameter keys: of the sequence.
  init?(_ term: LogitTerm, keys: Int, _ workspace: Workspace) {
    guard case .keyBias(let bias) = term else { return nil }
    self.bias = bias
    sums = workspace.zeros(keys)
  }

  /// Adds what a tile contributes.
  func add(_ tile: LogitTile, _ dScores: UnsafePointer<Float>, row: Int) {
    for r in 0..<tile.rows.count {
      addScaled(dScores + r * row, 1, sums + tile.keys.lowerBound, count: tile.keys.count)
    }
  }

  func write(_ rows: Range<Int>, _ head: Int, _ targets: HeadTargets) {
    targets.write(sums, row: 1, rows: rows, bias, head)
  }
}

/// The gradients of both factors of ``LogitTerm/outer(_:_:)``, a tile of queries at a time.
///
/// ```
/// da[i, u] = Σᵥ dS[i, v·A + u]·c[i, v]    dc[i, v] = Σᵤ dS[i, v·A + u]·a[i, u]
/// ```
struct OuterGradient {
  private let a: Heads
  private let c: Heads
  private let da: UnsafeMutablePointer<Float>
  private let dc: UnsafeMutablePointer<Float>

  /// Nil for other terms.
  init?(_ term: LogitTerm, _ workspace: Workspace) {
    guard case .outer(let a, let c) = term else { return nil }
    self.a = a
    self.c = c
    da = workspace.floats(tileRows * a.width)
    dc = workspace.floats(tileRows * c.width)
  }

  /// Starts a tile of queries.
  func clear(_ rows: Int) {
    da.update(repeating: 0, count: rows * a.width)
    dc.update(repeating: 0, count: rows * c.width)
  }

  /// Adds what a tile of keys contributes.
  func add(_ tile: LogitTile, _ dScores: UnsafePointer<Float>, row: Int) {
    for (r, global) in tile.rows.enumerated() {
      let (fine, coarse) = (a.pointer(global, tile.head), c.pointer(global, tile.head))
      tile.forEachRun(of: a.width) { j, run in
        let d = dScores + r * row + j
        addScaled(d, coarse[run.block], da + r * a.width + run.place, count: run.count)
        dc[r * c.width + run.block] += innerProduct(d, fine + run.place, count: run.count)
      }
    }
  }

  /// Ends a tile of queries.
  func write(_ rows: Range<Int>, _ head: Int, _ targets: HeadTargets) {
    targets.write(da, row: a.width, rows: rows, a, head)
    targets.write(dc, row: c.width, rows: rows, c, head)
  }
}
