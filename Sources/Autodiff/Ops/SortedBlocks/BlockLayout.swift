// SPDX-License-Identifier: Apache-2.0

/// How the rows of one sequence lie in blocks.
struct BlockLayout {
  /// Its first block, among all.
  let firstBlock: Int
  /// n, its blocks.
  let count: Int
  /// b, the rows of every block but the last.
  let size: Int
  /// Rows of the last block.
  let last: Int
  /// Mixed blocks that there are.
  let mixedCount: Int
  /// Whether every block attends to all of them, instead of the one at its own place.
  let isShared: Bool

  init(_ blocks: SequencePieces, _ sequence: Int, shortcut: Int) {
    let own = blocks.sequences.range(sequence)
    firstBlock = own.lowerBound
    count = own.count
    size = count == 0 ? 0 : blocks.rows.length(firstBlock)
    last = count == 0 ? 0 : blocks.rows.length(own.upperBound - 1)
    isShared = shortcut > 0
    mixedCount = isShared ? min(shortcut, count) : count
  }

  /// Rows of a block.
  func rows(of block: Int) -> Int { block + 1 < count ? size : last }

  /// The mixed blocks that a block attends to.
  func mixed(of block: Int) -> Range<Int> { isShared ? 0..<mixedCount : block..<block + 1 }

  /// Pairs of a query and a key, mixed or not.
  var pairs: Int {
    (0..<count).reduce(0) { $0 + rows(of: $1) * (mixed(of: $1).count * size + rows(of: $1)) }
  }
}
