/// The columns of a packed tensor [N, …] that hold one of query, key and value: `count` heads of
/// `width` columns each, beginning at `column`.
///
/// Queries, keys and values that come from one product stay in one tensor; heads are addressed by
/// column, so nothing is ever transposed or copied apart.
public struct Heads {
  /// [N, columns].
  public let tensor: Tensor
  /// The first column.
  public let column: Int
  /// H, the number of heads.
  public let count: Int
  /// D, the columns of one head.
  public let width: Int

  /// - Precondition: the heads lie inside the tensor's columns.
  public init(_ tensor: Tensor, column: Int = 0, count: Int, width: Int) {
    precondition(
      column >= 0 && column + count * width <= tensor.columns,
      "heads: \(count) × \(width) columns from \(column) exceed \(tensor.shape)")
    self.tensor = tensor
    self.column = column
    self.count = count
    self.width = width
    stride = tensor.columns
    base = tensor.pointer + column
  }

  /// Floats from one row to the next.
  let stride: Int
  private let base: UnsafeMutablePointer<Float>

  /// The columns of all heads.
  var columns: Range<Int> { column..<column + count * width }

  /// The first element of a row of one head.
  func pointer(_ row: Int, _ head: Int) -> UnsafeMutablePointer<Float> {
    base + row * stride + head * width
  }
}

/// A tile of rows of neighbouring heads, copied apart: for each head [tileRows × `row`], the columns
/// beyond D zero.
///
/// Reading all heads of a row before the next keeps the reads close together, so that many are under
/// way at once; strided reads from inside a calculation would each wait for main memory.
struct HeadTile {
  private let heads: Range<Int>
  private let row: Int
  private let base: UnsafeMutablePointer<Float>

  /// - Parameter row: floats from one row to the next, at least D and whole vectors.
  init(heads: Range<Int>, row: Int, _ workspace: Workspace) {
    self.heads = heads
    self.row = row
    base = workspace.floats(heads.count * tileRows * row)
  }

  /// The rows of one head.
  func rows(_ head: Int) -> UnsafeMutablePointer<Float> {
    base + (head - heads.lowerBound) * tileRows * row
  }

  /// Takes at most ``tileRows`` rows.
  func copy(_ view: Heads, _ rows: Range<Int>) {
    for (r, index) in rows.enumerated() {
      for head in heads {
        let from = view.pointer(index, head)
        let to = self.rows(head) + r * row
        prefetch(from + tileRows * view.stride, count: view.width)
        var j = 0
        while j + laneCount <= view.width {
          store(load(from + j), to + j)
          j += laneCount
        }
        while j < view.width {
          to[j] = from[j]
          j += 1
        }
        while j < row {
          to[j] = 0
          j += 1
        }
      }
    }
  }
}

/// The gradients of the heads of one operation.
struct HeadTargets {
  private var targets: [(node: Node, column: Int, target: GradientTarget)] = []

  /// Columns of a tensor that no head covers get no gradient from this operation; columns that several
  /// heads cover get the sum.
  init(_ heads: [Heads]) {
    for (index, view) in heads.enumerated() {
      guard let node = view.tensor.node else { continue }
      var target = node.target(columns: view.columns, of: view.tensor.columns)
      let others = heads[..<index] + heads[(index + 1)...]
      if others.contains(where: { $0.tensor.node === node && $0.columns.overlaps(view.columns) }) {
        if !target.accumulate {
          clearColumns(view.columns, of: view.stride, in: target.pointer, rows: view.tensor.rows)
        }
        target = GradientTarget(pointer: target.pointer, accumulate: true)
      }
      targets.append((node, view.column, target))
    }
  }

  /// Stores or adds `factor` times a block of rows of one head.
  func write(
    _ source: UnsafePointer<Float>, row sourceRow: Int, rows: Range<Int>, _ view: Heads,
    _ head: Int, factor: Float = 1
  ) {
    guard let target = target(view, head) else { return }
    for (i, row) in rows.enumerated() {
      target.write(source + i * sourceRow, to: row, factor: factor)
    }
  }

  /// Where the gradient of one head goes, if it has one.
  func target(_ view: Heads, _ head: Int) -> HeadTarget? {
    guard let node = view.tensor.node,
      let target = targets.first(where: { $0.node === node && $0.column == view.column })?.target
    else { return nil }
    return HeadTarget(
      base: target.pointer + view.column + head * view.width, stride: view.stride,
      width: view.width, accumulate: target.accumulate)
  }
}

/// The gradient of one head.
struct HeadTarget {
  /// The first element of the first row.
  let base: UnsafeMutablePointer<Float>
  /// Floats from one row to the next.
  let stride: Int
  let width: Int
  let accumulate: Bool

  /// Stores or adds `factor` times a row.
  @inline(__always)
  func write(_ source: UnsafePointer<Float>, to row: Int, factor: Float) {
    let to = base + row * stride
    prefetch(to + tileRows * stride, count: width)
    forLanes(0..<width) { j, count in
      var value = load(source + j, count: count) * factor
      if accumulate { value += load(to + j, count: count) }
      store(value, to + j, count: count)
    }
  }

  /// A row to which the operation gives nothing.
  func writeZeros(to row: Int) {
    if !accumulate { (base + row * stride).update(repeating: 0, count: width) }
  }
}
