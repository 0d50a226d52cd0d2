/// Rows that a fused operation takes through all its stages before the next ones, so that what
/// lies between the stages stays in the second-level cache.
let tileRows = 64

/// The fixed cut of a sum over rows: it depends on the shapes alone, so that any number of
/// threads adds the same numbers in the same order.
struct RowPieces {
  let rows: Int
  let count: Int
  private let step: Int
  private let tile: Int

  /// - Parameters:
  ///   - rows: rows to sum over.
  ///   - sum: floats of the result; large results get fewer pieces, since each has its own copy.
  ///   - tile: rows of a tile.
  init(rows: Int, sum: Int, tile: Int = tileRows) {
    let byMemory = max(2, (16 << 20) / max(sum, 1))
    let wanted = min(16, byMemory, max(1, rows / (4 * tile)))
    let tiles = (rows + tile - 1) / tile
    step = (tiles + wanted - 1) / wanted * tile
    self.tile = tile
    count = rows == 0 ? 0 : (rows + step - 1) / step
    self.rows = rows
  }

  func range(_ piece: Int) -> Range<Int> { piece * step..<min(rows, (piece + 1) * step) }

  /// The piece's rows, a tile at a time.
  func tiles(_ piece: Int) -> [Range<Int>] {
    let all = range(piece)
    return stride(from: all.lowerBound, to: all.upperBound, by: tile).map {
      $0..<min(all.upperBound, $0 + tile)
    }
  }
}

/// One partial sum a piece, added up in a fixed tree.
struct PartialSums {
  private let storage: Storage
  private let size: Int
  private let pieces: Int

  init(pieces: Int, size: Int) {
    storage = Storage(count: max(1, pieces) * size)
    self.size = size
    self.pieces = pieces
  }

  subscript(piece: Int) -> UnsafeMutablePointer<Float> { storage.pointer + piece * size }

  /// Adds all pieces, pairwise, and stores or adds the sums.
  ///
  /// - Parameters:
  ///   - offset: first element of the part of the sums that `target` is for.
  ///   - count: elements of that part.
  func reduce(_ offset: Int, _ count: Int, into target: GradientTarget) {
    guard pieces > 0 else {
      if !target.accumulate { target.pointer.update(repeating: 0, count: count) }
      return
    }
    parallel(count, by: 4096) { range, _ in
      for start in stride(from: range.lowerBound, to: range.upperBound, by: laneCount) {
        let width = min(laneCount, range.upperBound - start)
        var sum = treeSum(offset + start, width, 0, pieces)
        let to = target.pointer + start
        if target.accumulate { sum += width == laneCount ? load(to) : load(to, count: width) }
        if width == laneCount { store(sum, to) } else { store(sum, to, count: width) }
      }
    }
  }

  private func treeSum(_ at: Int, _ width: Int, _ first: Int, _ count: Int) -> Lanes {
    if count == 1 {
      let from = storage.pointer + first * size + at
      return width == laneCount ? load(from) : load(from, count: width)
    }
    let half = (count + 1) / 2
    return treeSum(at, width, first, half) + treeSum(at, width, first + half, count - half)
  }
}

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

/// result = x with dropped elements zero and the others scaled; `first` and `firstColumn` are the
/// numbers of the row and column of x[0], and `row` is the number of floats from one row of the result
/// to the next, `width` where it is nil.
func drop(
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
func dropped(
  _ dropout: Dropout, _ x: UnsafeMutablePointer<Float>, _ rows: Int, _ width: Int,
  firstRow first: Int, _ workspace: Workspace
) -> UnsafeMutablePointer<Float> {
  guard dropout.isActive else { return x }
  let result = workspace.floats(rows * width)
  drop(dropout, x, rows, width, firstRow: first, into: result)
  return result
}

/// A weight [O × I] packed for both directions of a linear map.
struct PackedWeight {
  let outputs: Int
  let inputs: Int
  private let storage: Storage
  private let panels: Panels

  /// Packed so that `multiply` gives x·Wᵀ.
  static func forward(_ weight: Tensor) -> PackedWeight { PackedWeight(weight, transposed: true) }
  /// Packed so that `multiply` gives dy·W.
  static func backward(_ weight: Tensor) -> PackedWeight { PackedWeight(weight, transposed: false) }

  private init(_ weight: Tensor, transposed: Bool) {
    outputs = weight.shape[0]
    inputs = weight.shape[1]
    let (k, n) = transposed ? (inputs, outputs) : (outputs, inputs)
    let storage = Storage(count: packedCount(inner: k, columns: n))
    let (source, row) = (weight.pointer, weight.shape[1])
    parallel(Panels.count(n)) { panel, _ in
      let column = panel * Panels.width
      let width = min(Panels.width, n - column)
      let target = storage.pointer + column * k
      if transposed {
        packTransposed(source + column * row, row: row, inner: k, columns: width, into: target)
      } else {
        packRows(source + column, row: row, inner: k, columns: width, into: target)
      }
    }
    self.storage = storage
    panels = Panels(base: storage.pointer, step: Panels.width, panel: Panels.width * k)
    inner = k
    columns = n
  }

  private init(_ whole: PackedWeight, _ panels: Panels, inner: Int, columns: Int) {
    (outputs, inputs, storage) = (whole.outputs, whole.inputs, whole.storage)
    (self.panels, self.inner, self.columns) = (panels, inner, columns)
  }

  private let inner: Int
  private let columns: Int

  /// Some of the packed matrix's columns; they start at a multiple of 32.
  func columns(_ range: Range<Int>) -> PackedWeight {
    let skipped = range.lowerBound / Panels.width * panels.panel
    return PackedWeight(
      self, Panels(base: panels.base + skipped, step: panels.step, panel: panels.panel),
      inner: inner, columns: range.count)
  }

  /// Some of the packed matrix's rows.
  func rows(_ range: Range<Int>) -> PackedWeight {
    let skipped = range.lowerBound * panels.step
    return PackedWeight(
      self, Panels(base: panels.base + skipped, step: panels.step, panel: panels.panel),
      inner: range.count, columns: columns)
  }

  /// y[rows × n] = x[rows × k] · packed, both row-major.
  ///
  /// - Parameters:
  ///   - xRow: floats from one row of x to the next; nil for k.
  ///   - yRow: the same of y; nil for n.
  ///   - ahead: what to bring into the caches meanwhile.
  func multiply(
    _ x: UnsafePointer<Float>, row xRow: Int? = nil, _ rows: Int,
    into y: UnsafeMutablePointer<Float>, row yRow: Int? = nil, accumulate: Bool = false,
    ahead: Ahead = .nothing
  ) {
    Autodiff.multiply(
      rows: rows, columns: columns, inner: inner,
      StridedMatrix(base: x, row: xRow ?? inner, column: 1), panels, into: y,
      row: yRow ?? columns, accumulate: accumulate, ahead: ahead)
  }
}
