// SPDX-License-Identifier: Apache-2.0

import Foundation

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
