import Foundation

/// Mixing blocks on the CPU: a sequence and head at a time, with each block as one long row.
struct SortedBlocksKernel {
  let x: Heads
  let sorting: Tensor
  let blocks: SequencePieces
  let heads: Int
  private let shortcut: Int
  /// The rows that each block attends to.
  let segments: Segments
  let epsilon: Float = 1e-9

  init(_ x: Heads, _ sorting: Tensor, _ blocks: SequencePieces, _ heads: Int, _ shortcut: Int) {
    precondition(
      x.count % heads == 0 && sorting.columns % heads == 0,
      "sortedBlocks: \(x.count) heads and matrices \(sorting.shape) for \(heads) heads")
    precondition(
      x.tensor.rows == blocks.rows.rows && sorting.rows == blocks.sequences.rows
        && blocks.sequences.longest <= sorting.columns / heads,
      "sortedBlocks: \(x.tensor.shape) and \(sorting.shape) for \(blocks.rows.rows) rows")
    self.x = x
    self.sorting = sorting
    self.blocks = blocks
    self.heads = heads
    self.shortcut = shortcut
    var offsets = [0]
    for sequence in 0..<blocks.sequences.count {
      let layout = BlockLayout(blocks, sequence, shortcut)
      for block in blocks.sequences.range(sequence) {
        offsets.append(
          (offsets.last ?? 0) + layout.mixedRows + blocks.rows.length(block))
      }
    }
    segments = Segments(offsets: offsets)
  }

  /// Columns of the result.
  var columns: Int { x.count * x.width + heads }
  /// Rows of the result if every sequence had the full length.
  var rowCapacity: Int {
    let (count, size) = (blocks.sequences.capacity, blocks.rows.capacity)
    let mixed = shortcut == 0 ? 1 : min(shortcut, count)
    return blocks.sequences.count * count * (mixed + 1) * size
  }

  func measure(_ name: String, products: Int, _ body: () -> Void) {
    let pairs = (0..<blocks.sequences.count).reduce(0) {
      let layout = BlockLayout(blocks, $1, shortcut)
      return $0 + layout.mixedBlocks * layout.rows.count
    }
    let columns = x.count * x.width
    Meter.shared.measure(
      name, flops: products * 2 * pairs * columns,
      bytes: 4 * products * (x.tensor.rows + segments.rows) * columns, body)
  }

  func forEachHead(_ body: (BlockLayout, Int, Workspace) -> Void) {
    let order = blocks.sequences.longestFirst.filter { blocks.sequences.length($0) > 0 }
    parallel(order.count * heads) { index, workspace in
      body(BlockLayout(blocks, order[index / heads], shortcut), index % heads, workspace)
    }
  }

  /// The matrix of one sequence and head.
  func matrix(_ layout: BlockLayout, _ head: Int) -> UnsafeMutablePointer<Float> {
    sorting.pointer + layout.firstBlock * sorting.columns + head * sorting.columns / heads
  }

  // MARK: Forward

  func forward(into y: Tensor) {
    forEachHead { layout, head, workspace in
      let to = y.pointer + segments.offsets[layout.firstBlock] * columns
      let own = BlockMatrix(layout.count, layout.size, x.width, workspace)
      for group in stride(from: head, to: x.count, by: heads) {
        load(layout, group, into: own)
        mix(layout, group, own, into: to + group * x.width)
        shareAndAppend(layout, group, to + group * x.width)
      }
      writeValidity(layout, head, into: to + x.count * x.width + head)
    }
  }

  /// Copies one head's rows of a sequence; a row that the last block lacks is zero.
  func load(_ layout: BlockLayout, _ group: Int, into matrix: BlockMatrix) {
    for block in 0..<layout.count {
      let rows = blocks.rows.range(layout.firstBlock + block)
      for (t, row) in rows.enumerated() {
        matrix.row(block, t).update(from: x.pointer(row, group), count: x.width)
      }
    }
  }

  /// Σₗ P[i, l]·x[l], row t of every mixed block in one product.
  private func mix(
    _ layout: BlockLayout, _ group: Int, _ own: BlockMatrix, into y: UnsafeMutablePointer<Float>
  ) {
    for t in 0..<layout.size {
      multiply(
        rows: layout.mixedBlocks, columns: x.width, inner: layout.count,
        StridedMatrix(base: matrix(layout, group % heads), row: sorting.columns, column: 1),
        own.panels(from: t), into: y + t * columns, row: layout.mixedStep * columns,
        accumulate: false)
    }
  }

  /// Gives mixed blocks to all blocks where they are shared, and every block its own rows.
  private func shareAndAppend(_ layout: BlockLayout, _ group: Int, _ y: UnsafeMutablePointer<Float>)
  {
    for block in 0..<layout.count {
      let to = y + block * layout.blockStep * columns
      if layout.isShared && block > 0 {
        for t in 0..<layout.mixedRows {
          (to + t * columns).update(from: y + t * columns, count: x.width)
        }
      }
      for (t, row) in blocks.rows.range(layout.firstBlock + block).enumerated() {
        (to + (layout.mixedRows + t) * columns).update(from: x.pointer(row, group), count: x.width)
      }
    }
  }

  /// w of a mixed block, for rows that all blocks have and for those that the last one lacks.
  func validity(_ row: UnsafePointer<Float>, _ layout: BlockLayout) -> (full: Float, part: Float) {
    var part: Float = 0
    for l in 0..<layout.count - 1 { part += row[l] }
    return (part + row[layout.count - 1], part)
  }

  /// log(w + ε) beside the mixed rows, 0 beside a block's own.
  private func writeValidity(
    _ layout: BlockLayout, _ head: Int, into y: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<layout.count {
      let to = y + block * layout.blockStep * columns
      for (index, mixed) in mixedBlocks(layout, of: block).enumerated() {
        let (full, part) = validity(matrix(layout, head) + mixed * sorting.columns, layout)
        let (logFull, logPart) = (log(full + epsilon), log(part + epsilon))
        for t in 0..<layout.size {
          to[(index * layout.size + t) * columns] = t < layout.last ? logFull : logPart
        }
      }
      for t in 0..<blocks.rows.length(layout.firstBlock + block) {
        to[(layout.mixedRows + t) * columns] = 0
      }
    }
  }

  /// The mixed blocks that a block gets.
  func mixedBlocks(_ layout: BlockLayout, of block: Int) -> Range<Int> {
    layout.isShared ? 0..<layout.mixedBlocks : block..<block + 1
  }
}

/// How the rows of one sequence lie in x and in the result.
struct BlockLayout {
  /// Its rows in x.
  let rows: Range<Int>
  /// Its first block, among all.
  let firstBlock: Int
  /// n, its blocks.
  let count: Int
  /// b, the rows of every block but the last.
  let size: Int
  /// Rows of the last block.
  let last: Int
  /// The mixed blocks that are computed, which are given to one block each or all to each.
  let mixedBlocks: Int
  /// Rows of mixed blocks that each block gets.
  let mixedRows: Int
  /// Whether every block gets the same.
  let isShared: Bool

  init(_ blocks: SequencePieces, _ sequence: Int, _ shortcut: Int) {
    let own = blocks.sequences.range(sequence)
    firstBlock = own.lowerBound
    count = own.count
    rows = blocks.rows.offsets[own.lowerBound]..<blocks.rows.offsets[own.upperBound]
    size = count == 0 ? 0 : blocks.rows.length(firstBlock)
    last = rows.count - max(0, count - 1) * size
    isShared = shortcut > 0
    mixedBlocks = isShared ? min(shortcut, count) : count
    mixedRows = isShared ? mixedBlocks * size : size
  }

  /// Rows of the result from one block to the next, all but the last of which are whole.
  var blockStep: Int { mixedRows + size }
  /// Rows of the result from one mixed block to the next.
  var mixedStep: Int { isShared ? size : blockStep }
}

/// Blocks of rows in scratch memory, each block one long row, so that mixing blocks is a product.
///
/// Rows begin as zeros. Long rows lie 16 floats further apart than they must, so that neighbours do
/// not share the same few places of the first-level cache.
struct BlockMatrix {
  let base: UnsafeMutablePointer<Float>
  /// D rounded up to whole panels.
  let padded: Int
  /// Floats of one block.
  let columns: Int
  /// Floats from one block to the next.
  let step: Int
  private let width: Int

  /// - Parameters:
  ///   - size: rows of a block.
  ///   - width: of a row.
  init(_ blocks: Int, _ size: Int, _ width: Int, _ workspace: Workspace) {
    self.width = width
    padded = Panels.count(width) * Panels.width
    columns = size * padded
    step = columns + laneCount
    base = workspace.zeros(blocks * step)
  }

  /// Row t of a block.
  func row(_ block: Int, _ t: Int) -> UnsafeMutablePointer<Float> {
    base + block * step + t * padded
  }

  /// All blocks as a left-hand side.
  var left: StridedMatrix { StridedMatrix(base: base, row: step, column: 1) }

  /// All blocks as a right-hand side, from row t on.
  func panels(from t: Int) -> Panels {
    Panels(base: row(0, t), step: step, panel: Panels.width)
  }

  /// Stores or adds the first `count` rows of a block.
  func write(
    _ source: UnsafePointer<Float>, _ stride: Int, _ count: Int, to block: Int, accumulate: Bool
  ) {
    for t in 0..<count {
      let (from, to) = (source + t * stride, row(block, t))
      for j in 0..<width { to[j] = accumulate ? to[j] + from[j] : from[j] }
    }
  }
}
