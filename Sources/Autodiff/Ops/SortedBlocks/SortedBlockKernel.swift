import Foundation

/// Attention to sorted blocks on the CPU: a sequence and head at a time, so that mixed rows need to
/// live in scratch memory only.
struct SortedBlockKernel {
  /// Added to w before its logarithm.
  static let epsilon: Float = 1e-9

  let query: Heads
  let key: Heads
  let value: Heads
  let sorting: Tensor
  let blocks: SequencePieces
  let dropout: Dropout
  private let shortcut: Int

  init(
    _ query: Heads, _ key: Heads, _ value: Heads, _ sorting: Tensor, _ blocks: SequencePieces,
    shortcut: Int, dropout: Dropout
  ) {
    precondition(
      [key, value].allSatisfy { $0.count == query.count && $0.width == query.width },
      "sortedBlockAttention: query, key and value differ in heads or width")
    precondition(
      [query, key, value].allSatisfy { $0.tensor.rows == blocks.rows.rows },
      "sortedBlockAttention: \(query.tensor.rows) rows for blocks of \(blocks.rows.rows)")
    precondition(
      sorting.columns % query.count == 0 && sorting.rows == blocks.sequences.rows
        && blocks.sequences.longest <= sorting.columns / query.count,
      "sortedBlockAttention: matrices \(sorting.shape) for \(blocks.sequences.rows) blocks and "
        + "\(query.count) heads")
    self.query = query
    self.key = key
    self.value = value
    self.sorting = sorting
    self.blocks = blocks
    self.shortcut = shortcut
    self.dropout = dropout
  }

  var heads: Int { query.count }
  var width: Int { query.width }
  var padded: Int { Panels.padded(width) }
  /// 1/√D.
  var scale: Float { 1 / Float(width).squareRoot() }
  /// Columns of P that a head has.
  var sortColumns: Int { sorting.columns / heads }

  /// - Parameters:
  ///   - mixes: products of P with all rows, for keys and values.
  ///   - products: multiplications for each column of a head and each pair of a query and a key.
  func measure(_ name: String, mixes: Int, products: Int, _ body: () -> Void) {
    var sums = 0
    for sequence in 0..<blocks.sequences.count {
      let layout = BlockLayout(blocks, sequence, shortcut: shortcut)
      let rows = (0..<layout.count).reduce(0) { $0 + layout.rows(of: $1) }
      sums += 2 * mixes * layout.mixedCount * rows + products * layout.pairs
    }
    Meter.shared.measure(
      name, flops: 2 * sums * heads * width,
      bytes: 4 * (4 * query.tensor.rows * heads * width + sorting.count), body)
  }

  func forEachHead(_ body: (BlockLayout, Int, Workspace) -> Void) {
    blocks.sequences.forEachHead(of: heads) { sequence, head, workspace in
      body(BlockLayout(blocks, sequence, shortcut: shortcut), head, workspace)
    }
  }

  /// P of one sequence and head.
  func matrix(_ layout: BlockLayout, _ head: Int) -> UnsafeMutablePointer<Float> {
    sorting.pointer + layout.firstBlock * sorting.columns + head * sortColumns
  }

  func forward(into y: Tensor, _ logSums: Storage) {
    forEachHead { layout, head, workspace in
      let rows = SortedRows(self, layout, head, workspace)
      let tile = SortedBlockTile(self, rows, workspace)
      for block in 0..<layout.count {
        let keys = BlockKeys(layout, block)
        for queries in blocks.rows.tiles(layout.firstBlock + block) {
          tile.attend(keys, queries, into: y, logSums)
        }
      }
    }
  }
}

/// The rows that the blocks of one sequence attend to in one head.
struct SortedRows {
  let layout: BlockLayout
  let head: Int
  let ownKeys: BlockMatrix
  let ownValues: BlockMatrix
  let mixedKeys: BlockMatrix
  let mixedValues: BlockMatrix
  /// log₂(w + ε), b for each mixed block.
  private let validity: UnsafeMutablePointer<Float>
  private let kernel: SortedBlockKernel

  init(
    _ kernel: SortedBlockKernel, _ layout: BlockLayout, _ head: Int, _ workspace: Workspace
  ) {
    let room = {
      BlockMatrix($0, size: layout.size, width: kernel.width, workspace)
    }
    self.kernel = kernel
    self.layout = layout
    self.head = head
    (ownKeys, ownValues) = (room(layout.count), room(layout.count))
    (mixedKeys, mixedValues) = (room(layout.mixedCount), room(layout.mixedCount))
    validity = workspace.floats(layout.mixedCount * layout.size)
    ownKeys.copy(kernel.key, kernel.blocks, layout, head)
    ownValues.copy(kernel.value, kernel.blocks, layout, head)
    mix(ownKeys, into: mixedKeys)
    mix(ownValues, into: mixedValues)
    writeValidity()
  }

  private func mix(_ own: BlockMatrix, into mixed: BlockMatrix) {
    multiply(
      rows: layout.mixedCount, columns: own.columns, inner: layout.count,
      StridedMatrix(
        base: kernel.matrix(layout, head), row: kernel.sorting.columns, column: 1),
      own.panels, into: mixed.base, row: mixed.step, accumulate: false)
  }

  /// What is added to the scores of a part's keys.
  @inline(__always)
  func validity(_ part: BlockKeys.Part) -> UnsafePointer<Float>? {
    part.isMixed ? UnsafePointer(validity) + part.block * layout.size : nil
  }

  /// w of a mixed block, for rows that all blocks have and for those that the last one lacks.
  func weights(_ mixed: Int) -> (full: Float, part: Float) {
    let row = kernel.matrix(layout, head) + mixed * kernel.sorting.columns
    var part: Float = 0
    for l in 0..<layout.count - 1 { part += row[l] }
    return (part + row[layout.count - 1], part)
  }

  private func writeValidity() {
    for mixed in 0..<layout.mixedCount {
      let (full, part) = weights(mixed)
      let line = validity + mixed * layout.size
      let logFull = log2(full + SortedBlockKernel.epsilon)
      line.update(repeating: logFull, count: layout.last)
      (line + layout.last).update(
        repeating: log2(part + SortedBlockKernel.epsilon), count: layout.size - layout.last)
    }
  }
}

/// What the queries of one block attend to, in parts: mixed blocks, then its own rows.
struct BlockKeys: RandomAccessCollection {
  /// Neighbouring keys.
  struct Part {
    /// The block in its matrices.
    let block: Int
    let isMixed: Bool
    let count: Int
    /// The row of scores of its first key; a product in whole blocks of eight fits between parts.
    let row: Int
    /// Keys before it.
    let first: Int
  }

  private let block: Int
  private let mixed: Range<Int>
  private let isShared: Bool
  /// Rows of a mixed block, and the block's own.
  private let (size, rows): (Int, Int)

  init(_ layout: BlockLayout, _ block: Int) {
    self.block = block
    mixed = layout.mixed(of: block)
    isShared = layout.isShared
    (size, rows) = (layout.size, layout.rows(of: block))
  }

  var startIndex: Int { 0 }
  var endIndex: Int { mixed.count + 1 }

  subscript(index: Int) -> Part {
    let isMixed = index < mixed.count
    return Part(
      block: isMixed ? mixed.lowerBound + index : block, isMixed: isMixed,
      count: isMixed ? size : rows, row: index * SortedBlockTile.whole(size),
      first: index * size)
  }

  /// Whether no block before this one attends to a part.
  func isNew(_ part: Part) -> Bool { !part.isMixed || !isShared || block == 0 }

  /// The most rows of scores that a block of a sequence needs.
  static func capacity(_ layout: BlockLayout) -> Int {
    (layout.mixed(of: 0).count + 1) * SortedBlockTile.whole(layout.size)
  }
}
