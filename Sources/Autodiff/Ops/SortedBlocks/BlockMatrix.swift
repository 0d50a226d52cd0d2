// SPDX-License-Identifier: Apache-2.0

/// Blocks of rows of one head in scratch memory, each block one long row, so that mixing blocks is a
/// product.
///
/// Long rows lie 16 floats further apart than they must, so that neighbours do not share the same few
/// places of the first-level cache.
struct BlockMatrix {
  /// Rows behind the last block that a product in whole blocks of eight may write zeros to.
  private static let spareRows = 7

  let base: UnsafeMutablePointer<Float>
  /// D rounded up to whole panels.
  let padded: Int
  /// Floats of one block.
  let columns: Int
  /// Floats from one block to the next.
  let step: Int
  private let blocks: Int

  /// Room for blocks of `size` rows of `width` floats, whatever it holds.
  init(_ blocks: Int, size: Int, width: Int, _ workspace: Workspace) {
    self.blocks = blocks
    padded = Panels.padded(width)
    columns = size * padded
    step = columns + laneCount
    base = workspace.floats(blocks * step + Self.spareRows * padded)
  }

  /// Row t of a block.
  func row(_ block: Int, _ t: Int = 0) -> UnsafeMutablePointer<Float> {
    base + block * step + t * padded
  }

  /// All blocks as factors of inner products.
  var rows: LongRows { LongRows(base: base, row: step, count: blocks) }

  /// All blocks as a right-hand side.
  var panels: Panels { Panels(rowMajor: base, stride: step) }

  /// The rows of a block as a right-hand side.
  func panels(of block: Int) -> Panels {
    Panels(rowMajor: row(block), stride: padded)
  }

  /// Takes one head's rows of a sequence; rows that the last block lacks become zero.
  func copy(_ view: HeadsView, _ blocks: SequencePieces, _ layout: BlockLayout, _ head: Int) {
    for block in 0..<layout.count {
      let rows = blocks.rows.range(layout.firstBlock + block)
      copyRows(view, rows, head, into: row(block))
      row(block, rows.count).update(repeating: 0, count: (layout.size - rows.count) * padded)
    }
  }
}

/// Copies one head's rows, times `scale` and filled up to whole panels with zeros.
func copyRows(
  _ view: HeadsView, _ rows: Range<Int>, _ head: Int, scale: Float = 1,
  into target: UnsafeMutablePointer<Float>
) {
  let padded = Panels.padded(view.width)
  for (r, index) in rows.enumerated() {
    let from = view.pointer(index, head)
    prefetch(from + tileRows * view.stride, count: view.width)
    copyRow(from, count: view.width, padded: padded, scale: scale, into: target + r * padded)
  }
}
