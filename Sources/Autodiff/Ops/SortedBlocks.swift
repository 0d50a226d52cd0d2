/// For each block of a sequence, the rows that its queries attend to: blocks mixed by a sorting
/// matrix, and behind them the block's own.
///
/// ```
/// y[i] = [Σₗ P[i, l]·x[l] ‖ x[i]]      x[l]: the rows of block l
/// w[i, t] = Σₗ P[i, l]·m[l, t]         m is 1 where block l has a row t, else 0
/// ```
/// for each head. A last block that is shorter than the others counts as zeros where it has no
/// rows; w says how much of a mixed row is real, and log(w + 1e-9) is to be added to its score.
///
/// - Parameters:
///   - x: heads of width D, of which head g is mixed by matrix g mod H: for H heads of keys and H
///     of values side by side, x.count is 2·H.
///   - sorting: P, one row for each block, [blocks, H·C]; the first columns of each head's C belong
///     to the blocks of the sequence.
///   - blocks: of the sequences of x.
///   - heads: H.
///   - shortcut: 0, or a number of blocks: then every block gets the first that many mixed blocks
///     instead of the one at its own place.
/// - Returns: the rows, [rows, x.count·D + H], whose last H columns are log(w + 1e-9), or 0 for the
///   rows of the block itself; and the rows of each block.
/// - Complexity: with n blocks of b rows, 2·n·N·x.count·D operations forward, twice that backward;
///   memory: the result, N·(2 + H/D) rows without a shortcut.
///
/// Saves: x and P.
///
/// Source: Tay et al., "Sparse Sinkhorn Attention" (2020), arXiv 2002.11296, section 3.
/// Differs: the LRA code sums P and x separately over l, so that every mixed block is the sum of
/// all blocks and P gets no gradient.
public func sortedBlocks(
  _ x: Heads, sorting: Tensor, blocks: SequencePieces, heads: Int, shortcut: Int = 0
) -> (rows: Tensor, segments: Segments) {
  let kernel = SortedBlocksKernel(x, sorting, blocks, heads, shortcut)
  let segments = kernel.segments
  let y = Tensor(
    shape: [segments.rows, kernel.columns],
    storage: Storage(count: kernel.rowCapacity * kernel.columns))
  kernel.measure("sorted blocks", products: 1) { kernel.forward(into: y) }
  let result = y.recorded("sorted blocks", from: x.tensor, sorting) { dy in
    kernel.measure("sorted blocks backward", products: 2) { kernel.backward(dy) }
  }
  return (result, segments)
}
