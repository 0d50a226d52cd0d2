// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention with rectified queries and keys, reweighted by a cosine that favours near keys.
///
/// ```
/// wᵢⱼ = relu(qᵢ)·relu(kⱼ)·cos(π·(i - j)/2L)    oᵢ = Σⱼ wᵢⱼ·vⱼ / max(Σⱼ wᵢⱼ, 10⁻⁶)
/// ```
/// The cosine of a difference is a sum of two products, so keys and values enter through two sums.
/// - Complexity: O(L·E·D) time, O(L·E) memory.
///
/// Source: Qin et al., "cosFormer: Rethinking Softmax in Attention" (2022), arXiv 2202.08791,
/// equations 9–12; the floor of the denominator and the biases are those of the authors' code.
/// Differs: see ``about``.
struct CosFormer: Mixer {
  static let about = VariantDescription(
    name: "cosformer", paper: "Qin et al., cosFormer: Rethinking Softmax in Attention", year: 2022,
    arXiv: "2202.08791", cost: .linear,
    summary: "Attention with rectified queries and keys and a cosine of their distance.",
    parts: [.heads, .projections],
    deviations: [
      "The angle of a place depends on the sequence's real length; the authors' code takes the "
        + "padded length.",
      "model.attention-dropout has no effect: the weights are never computed.",
    ])

  struct Options: VariantOptions {}

  private let projections: MultiHead

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope, bias: true)
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let (query, key, value) = projections.queryKeyValue(x)
    let mixed = linearAttention(
      query: query, key: key, value: value, sequences: context.sequences, features: .cosine,
      epsilon: 0,
      floor: 1e-6)
    return projections.finish(
      x, context.probed(mixed, query: query, key: key, value: value), context)
  }
}
