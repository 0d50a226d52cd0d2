// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// Softmax attention between all pairs of tokens, exact and tiled.
///
/// ```
/// O = softmax(Q·Kᵀ/√D)·V      per head
/// ```
/// - Complexity: O(L²·E) time, O(L·E) memory.
///
/// Source: Vaswani et al., "Attention Is All You Need" (2017), arXiv 1706.03762.
/// Differs: see ``about``.
struct Transformer: Mixer {
  static let about = VariantDescription(
    name: "transformer", paper: "Vaswani et al., Attention Is All You Need", year: 2017,
    arXiv: "1706.03762", cost: .quadratic,
    summary: "Exact softmax attention, tiled: no L × L array in memory.",
    deviations: [
      "The LRA code stores the L × L weights and gives padded queries a uniform average; here "
        + "padding does not exist."
    ])

  struct Options: VariantOptions {}

  private let projections: MultiHead

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope)
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let (query, key, value) = projections.queryKeyValue(x)
    let mixed = attention(
      query: query, key: key, value: value, queries: context.sequences, keys: context.sequences,
      dropout: projections.weightDropout(context), precision: context.precision)
    return projections.finish(x, mixed, context)
  }
}
