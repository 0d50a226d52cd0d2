// SPDX-License-Identifier: Apache-2.0

/// Attention of the queries of every block to blocks that a sorting matrix mixes, and to the block's
/// own rows, in one softmax.
///
/// ```
/// K̂[i] = Σₗ P[i, l]·K[l]    V̂[i] = Σₗ P[i, l]·V[l]    w[i, t] = Σₗ P[i, l]·m[l, t]
/// O[i] = softmax(Q[i]·[K̂[i] ‖ K[i]]ᵀ/√D + [log(w[i] + 1e-9) ‖ 0])·[V̂[i] ‖ V[i]]
/// ```
/// for each head. K[l] are the rows of block l; m[l, t] is 1 where it has a row t, else 0: a last
/// block that is shorter than the others counts as zeros where it has no rows, and w says how much of
/// a mixed row is real.
///
/// - Parameters:
///   - query: Q.
///   - key: K, as wide.
///   - value: V, as wide.
///   - sorting: P, one row for each block, [blocks, H·C]; the first columns of each head's C belong
///     to the blocks of the sequence.
///   - blocks: of the sequences.
///   - shortcut: 0, or a number of blocks: then every block attends to the first that many mixed
///     blocks instead of the one at its own place.
///   - dropout: applied to the attention weights, of which those of mixed rows come first.
/// - Returns: [N, H·D].
/// - Complexity: with n blocks of b rows in a sequence, 4·n²·b·D + 8·n·b²·D operations forward for each
///   head, and 2.25 times that backward. Memory: the result; a thread needs 4·N·D floats of scratch
///   for a sequence of N rows, and twice that backward: mixed rows are never in a tensor.
///
/// Saves: Q, K, V, P, the result, and one logarithm of a sum per row and head; mixed rows are
/// computed again.
///
/// Source: Tay et al., "Sparse Sinkhorn Attention" (2020), arXiv 2002.11296, section 3.
/// Differs: the LRA code sums P and K separately over l, so that every mixed block is the sum of
/// all blocks and P gets no gradient.
package func sortedBlockAttention(
  query: HeadsView, key: HeadsView, value: HeadsView, sorting: Tensor, blocks: SequencePieces,
  shortcut: Int = 0, dropout: Dropout = .none
) -> Tensor {
  let kernel = SortedBlockKernel(
    query, key, value, sorting, blocks, shortcut: shortcut, dropout: dropout)
  let capacity = query.tensor.rowCapacity
  let y = Tensor(
    shape: [query.tensor.rows, query.count * query.width],
    storage: Storage(count: capacity * query.count * query.width))
  let logSums = Storage(count: capacity * query.count)
  let name = "sorted block attention"
  kernel.measure(name, mixes: 1, products: 2) { kernel.forward(into: y, logSums) }
  let result = y.storage
  let inputs = [query.tensor, key.tensor, value.tensor, sorting]
  return y.recorded(name, from: inputs) { dy in
    kernel.measure(name + " backward", mixes: 2, products: 5) {
      kernel.backward(dy, result: result, logSums)
    }
  }
}
