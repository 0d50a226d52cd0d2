// SPDX-License-Identifier: Apache-2.0

/// What takes the place of the exponential in linear attention: φ, from D numbers to M features.
package enum FeatureMap {
  /// elu(x) + 1, with M = D.
  case eluPlusOne
  /// max(x, 0) + ε, with M = D.
  case relu(epsilon: Float)
  /// Positive random features of the softmax kernel, with rows ω of [H·M, D], M of them a head:
  /// ```
  /// x̃ = x/D^¼    φᵣ = exp(ωᵣ·x̃ - ‖x̃‖²/2 - shift) + ε
  /// ```
  /// The shift keeps the exponential from overflowing and cancels in the quotient but for ε: a
  /// query's is its own largest ωᵣ·x̃, that of the keys the largest of the sequence and head.
  /// Gradients take it for a constant. The factor 1/√M of both sides cancels and is left out.
  case randomSoftmax(Tensor, epsilon: Float)
  /// max(ωᵣ·x̃, 0) + ε, ω and x̃ as above.
  case randomRelu(Tensor, epsilon: Float)
  /// max(x, 0) times the sine, and times the cosine, of π·i/2L at place i = 1…L of a sequence of L
  /// rows, with M = 2·D: keys weigh relu(q)·relu(k)·cos(π·(i - j)/2L).
  case cosine
}

/// Attention with a product of features in place of the exponential, in time linear in L.
///
/// ```
/// S = Σⱼ φ(kⱼ)·vⱼᵀ    z = Σⱼ φ(kⱼ)    oᵢ = φ(qᵢ)ᵀ·S / max(φ(qᵢ)ᵀ·z + ε, floor)
/// ```
/// - Parameters:
///   - query: Q.
///   - key: K.
///   - value: V.
///   - sequences: the sequences, the same for all three.
///   - features: φ; gradients stop at its random rows.
///   - epsilon: ε, keeps the denominator from zero.
///   - floor: the least denominator; it has no gradient.
/// - Returns: [N, H·D].
/// - Complexity: time 4·L·D·M operations forward and 8·L·D·M backward for each sequence and head,
///   and as much more for random features; memory O(N·H·D + B·H·D·M).
///
/// Saves: Q, K, V, the result, one denominator per row and head, and S, z and the shift of every
/// sequence and head. Features are computed again.
///
/// Source: Katharopoulos et al., "Transformers are RNNs" (2020), arXiv 2006.16236, equations 4–7,
/// bidirectional; Choromanski et al., "Rethinking Attention with Performers" (2021),
/// arXiv 2009.14794, for random features; Qin et al., "cosFormer" (2022), arXiv 2202.08791.
/// Padding does not exist here; the LRA code lets it into both sums.
package func linearAttention(
  query: HeadsView, key: HeadsView, value: HeadsView, sequences: PackedSequences,
  features: FeatureMap = .eluPlusOne,
  epsilon: Float, floor: Float = 0
) -> Tensor {
  let shape = LinearAttentionShape(query, key, value, sequences, epsilon: epsilon, floor: floor)
  return switch features {
  case .eluPlusOne: attend(shape, PointwiseFeatures(.eluPlusOne, width: shape.width))
  case .relu(let epsilon): attend(shape, PointwiseFeatures(.relu(epsilon), width: shape.width))
  case .randomSoftmax(let rows, let epsilon):
    attend(shape, RandomFeatures(.softmax, rows, epsilon, heads: shape.heads, shape.width))
  case .randomRelu(let rows, let epsilon):
    attend(shape, RandomFeatures(.relu, rows, epsilon, heads: shape.heads, shape.width))
  case .cosine: attend(shape, CosineFeatures(sequences, width: shape.width))
  }
}

private func attend(_ shape: LinearAttentionShape, _ features: some FeatureKernel) -> Tensor {
  let kernel = LinearAttentionKernel(shape, features)
  let columns = shape.heads * shape.width
  let y = Tensor(
    shape: [shape.sequences.rows, columns],
    storage: Storage(count: shape.query.tensor.rowCapacity * columns))
  let saved = kernel.makeSaved()
  kernel.measureForward { kernel.forward(into: y, saved) }
  let result = y.storage
  return y.recorded(
    "linear attention", from: shape.query.tensor, shape.key.tensor, shape.value.tensor
  ) { dy in
    kernel.measureBackward { kernel.backward(dy, result: result, saved) }
  }
}
