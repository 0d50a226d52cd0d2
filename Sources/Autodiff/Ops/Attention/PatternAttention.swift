// SPDX-License-Identifier: Apache-2.0

/// Softmax attention of every head over some of the pairs of a query and a key, tiled.
///
/// ```
/// oᵢ = Σⱼ softmaxⱼ(scale·qᵢ·kⱼ)·vⱼ    over the keys j that query i sees, for each sequence and head
/// ```
/// A query that sees nothing gives zero.
///
/// - Parameters:
///   - query: Q; key: K; value: V, all of them rows of `sequences`.
///   - sequences: the sequences.
///   - patterns: who sees what, one for each sequence, or one for each sequence and head, all heads
///     of a sequence together.
///   - scale: of the products; nil for 1/√D.
///   - dropout: applied to the attention weights.
///   - precision: of the operands of the products.
/// - Returns: [N, H·D].
/// - Complexity: time 4·D operations forward and 10·D backward for each pair and head, beside the
///   pairs that only fill up tiles of 64 queries and panels of keys; memory O(N·H·D).
///
/// Saves: Q, K, V, the result, and one logarithm of a sum per row and head.
package func patternAttention(
  query: HeadsView, key: HeadsView, value: HeadsView, sequences: PackedSequences,
  patterns: [AttentionPattern],
  scale: Float? = nil, dropout: Dropout = .none, precision: Precision = .fp32
) -> Tensor {
  AttentionKernel(
    query, key, value, sequences, sequences, patterns, dropout, scale: scale, precision: precision
  ).recorded("pattern attention")
}
