/// Exact softmax attention of every head, tiled: no array of size L × L exists, forward or backward.
///
/// ```
/// O = softmax(Q·Kᵀ/√D + 1·bᵀ)·V      for each sequence and head
/// ```
/// - Parameters:
///   - query: Q, rows of `queries`.
///   - key: K, rows of `keys`.
///   - value: V, rows of `keys`.
///   - bias: b, one number for each key and head (heads of width 1, rows of `keys`); zeros if nil.
///   - queries: the sequences of Q.
///   - keys: the sequences of K and V, as many; their lengths may differ from those of Q, as in
///     attention to a projected sequence.
///   - dropout: applied to the attention weights.
/// - Returns: [N, H·D].
/// - Complexity: time 4·Lq·Lk·D operations forward and 10·Lq·Lk·D backward for each sequence and
///   head; memory O(N·H·D). Rows of padding do not exist and cost nothing.
///
/// Saves: Q, K, V, b, the result, and one logarithm of a sum per row and head.
///
/// Source: Vaswani et al., "Attention Is All You Need" (2017), arXiv 1706.03762, equation 1; tiles
/// after Rabe and Staats (2021), arXiv 2112.05682, and Dao et al. (2022), arXiv 2205.14135.
public func attention(
  query: Heads, key: Heads, value: Heads, bias: Heads? = nil, queries: Segments, keys: Segments,
  dropout: Dropout = .none
) -> Tensor {
  let kernel = AttentionKernel(query, key, value, bias, queries, keys, dropout)
  let capacity = query.tensor.rowCapacity
  let y = Tensor(
    shape: [queries.rows, query.count * query.width],
    storage: Storage(count: capacity * query.count * query.width))
  let logSums = Storage(count: capacity * query.count)
  kernel.measure("attention", products: 2) { kernel.forward(into: y, logSums) }
  let result = y.storage
  return y.recorded(
    "attention", from: query.tensor, key.tensor, value.tensor, bias?.tensor
  ) { dy in
    kernel.measure("attention backward", products: 5) {
      kernel.backward(dy, result: result, logSums)
    }
  }
}
