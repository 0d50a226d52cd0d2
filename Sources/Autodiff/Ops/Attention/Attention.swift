// SPDX-License-Identifier: Apache-2.0

/// Exact softmax attention of every head, tiled: no array of size L × L exists, forward or backward.
///
/// ```
/// O = softmax(scale·Q·Kᵀ + T)·V      for each sequence and head
/// ```
/// - Parameters:
///   - query: Q, rows of `queries`.
///   - key: K, rows of `keys`, as wide as Q.
///   - value: V, rows of `keys`; it may have another width.
///   - queries: the sequences of Q.
///   - keys: the sequences of K and V, as many; their lengths may differ from those of Q, as in
///     attention to a projected sequence.
///   - scale: of the products; nil for 1/√D, where D is the width of a query.
///   - term: T.
///   - dropout: applied to the attention weights.
///   - dropoutRows: sequences that number the rows of the queries for dropout, where the queries are the
///     first rows of longer sequences; nil means `queries`.
///   - precision: of the operands of the products.
/// - Returns: [N, H·D], where D is the width of a value.
/// - Complexity: time 4·Lq·Lk·D operations forward and 10·Lq·Lk·D backward for each sequence and
///   head; the gradient of a table takes 4·Lq·Lk·D more. Memory O(N·H·D). Rows of padding do not
///   exist and cost nothing.
///
/// Saves: Q, K, V, the result, and one logarithm of a sum per row and head.
///
/// Source: Vaswani et al., "Attention Is All You Need" (2017), arXiv 1706.03762, equation 1; tiles
/// after Rabe and Staats (2021), arXiv 2112.05682, and Dao et al. (2022), arXiv 2205.14135.
package func attention(
  query: HeadsView, key: HeadsView, value: HeadsView, queries: PackedSequences,
  keys: PackedSequences,
  scale: Float? = nil, adding term: AttentionBias = .none, dropout: Dropout = .none,
  dropoutRows: PackedSequences? = nil, precision: Precision = .fp32
) -> Tensor {
  let patterns = zip(0..<queries.count, 0..<keys.count).map {
    AttentionPattern.full(queries: queries.length($0), keys: keys.length($1))
  }
  return AttentionKernel(
    query, key, value, queries, keys, patterns, dropout, dropoutRows: dropoutRows, scale: scale,
    term: term, precision: precision
  ).recorded("attention")
}

/// Attention whose logits are no products of queries and keys: O = softmax(T)·V.
///
/// - Parameters:
///   - term: T.
///   - value: V.
///   - sequences: the sequences.
///   - dropout: applied to the attention weights.
///   - precision: of the operands of the products.
/// - Returns: [N, H·D].
/// - Complexity: time 2·L²·D operations forward and 4·L²·D backward for each sequence and head.
package func attention(
  logits term: AttentionBias, value: HeadsView, sequences: PackedSequences,
  dropout: Dropout = .none,
  precision: Precision = .fp32
) -> Tensor {
  let nothing = HeadsView(value.tensor.detached, count: value.count, width: 0)
  return attention(
    query: nothing, key: nothing, value: value, queries: sequences, keys: sequences, scale: 1,
    adding: term, dropout: dropout, precision: precision)
}

extension AttentionKernel {
  /// Runs the kernel as the operation of this name.
  func recorded(_ name: String) -> Tensor {
    let capacity = query.tensor.rowCapacity
    let y = Tensor(
      shape: [queries.rows, heads * width], storage: Storage(count: capacity * heads * width))
    let logSums = Storage(count: capacity * heads)
    let cost = AttentionCost(self)
    measure(name, multiplyAdds: cost.forward) { forward(into: y, logSums) }
    let result = y.storage
    return y.recorded(name, from: [query.tensor, key.tensor, value.tensor] + term.tensors) { dy in
      measure(name + " backward", multiplyAdds: cost.backward) {
        backward(dy, result: result, logSums)
        BiasTableGradient(self, dy, result: result, logSums)?.run()
      }
    }
  }
}

/// Multiply-adds for each query, key and head.
private struct AttentionCost {
  let forward: Int
  let backward: Int

  init(_ kernel: AttentionKernel) {
    let (d, v) = (kernel.keyWidth, kernel.width)
    switch kernel.term {
    case .none:
      forward = d + v
      backward = 3 * d + 2 * v
    case .keyBias:
      forward = d + v + 1
      backward = 3 * d + 2 * v + 2
    case .outer:
      forward = d + v + 1
      backward = 3 * d + 2 * v + 3
    case .table:
      forward = d + v + 1
      backward = d == 0 ? 2 * v + 3 : 4 * d + 3 * v + 3
    }
  }
}
