/// Attention with the kernel φ(x) = elu(x) + 1 in place of the softmax, in time linear in L.
///
/// ```
/// S = Σⱼ φ(kⱼ)·vⱼᵀ    z = Σⱼ φ(kⱼ)    oᵢ = φ(qᵢ)ᵀ·S / (φ(qᵢ)ᵀ·z + ε)
/// ```
/// - Parameters:
///   - query: Q.
///   - key: K.
///   - value: V.
///   - segments: the sequences, the same for all three.
///   - epsilon: ε, keeps the denominator from zero.
/// - Returns: [N, H·D].
/// - Complexity: time 4·L·D² operations forward and 12·L·D² backward for each sequence and head;
///   memory O(N·H·D + B·H·D²).
///
/// Saves: Q, K, V, and S and z of every sequence and head.
///
/// Source: Katharopoulos et al., "Transformers are RNNs" (2020), arXiv 2006.16236, equations 4–7,
/// bidirectional. Padding does not exist here; the LRA code lets it into both sums.
public func linearAttention(
  query: Heads, key: Heads, value: Heads, segments: Segments, epsilon: Float
) -> Tensor {
  let kernel = LinearAttentionKernel(query, key, value, segments, epsilon)
  let columns = query.count * query.width
  let y = Tensor(
    shape: [segments.rows, columns],
    storage: Storage(count: query.tensor.rowCapacity * columns))
  let states = Storage(count: segments.count * query.count * kernel.stateCount)
  kernel.measure("linear attention", products: 2) { kernel.forward(into: y, states) }
  return y.recorded("linear attention", from: query.tensor, key.tensor, value.tensor) { dy in
    kernel.measure("linear attention backward", products: 6) { kernel.backward(dy, states) }
  }
}
