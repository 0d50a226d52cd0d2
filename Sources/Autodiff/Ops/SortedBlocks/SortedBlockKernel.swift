// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Attention to sorted blocks on the CPU: a sequence and head at a time, so that mixed rows need to
/// live in scratch memory only.
struct SortedBlockKernel {
  /// Added to w before its logarithm.
  static let epsilon: Float = 1e-9

  let query: HeadsView
  let key: HeadsView
  let value: HeadsView
  let sorting: Tensor
  let blocks: SequencePieces
  let dropout: Dropout
  private let shortcut: Int

  init(
    _ query: HeadsView, _ key: HeadsView, _ value: HeadsView, _ sorting: Tensor,
    _ blocks: SequencePieces,
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
    Profiler.shared.measure(
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
