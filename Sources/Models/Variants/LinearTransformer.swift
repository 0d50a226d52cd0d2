// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention with a product of features of query and key, linear in the length.
///
/// ```
/// oᵢ = φ(qᵢ)ᵀ·Σⱼ φ(kⱼ)vⱼᵀ / (φ(qᵢ)ᵀ·Σⱼ φ(kⱼ) + ε)    φ(x) = elu(x) + 1 or max(x, 0) + 0.001
/// ```
/// - Complexity: O(L·E·D) time, O(L·E) memory.
///
/// Source: Katharopoulos et al., "Transformers are RNNs: Fast Autoregressive Transformers with Linear
/// Attention" (2020), arXiv 2006.16236, equations 4–7.
/// Differs: see ``about``.
struct LinearTransformer: Mixer {
  static let about = VariantDescription(
    name: "linear",
    paper: "Katharopoulos et al., Transformers are RNNs", year: 2020, arXiv: "2006.16236",
    cost: .linear, summary: "Attention with the kernel elu + 1, bidirectional.",
    parts: [.heads, .projections],
    deviations: [
      "The LRA code lets padding into both sums; here padding does not exist.",
      "model.attention-dropout has no effect: the weights are never computed.",
    ])

  /// φ.
  enum Kernel: String, SettingChoice {
    /// elu(x) + 1.
    case elu
    /// max(x, 0) + 0.001.
    case relu
  }

  struct Options: VariantOptions {
    @Knob("ε of the denominator", 0...) var epsilon = 1e-6
    @Knob("elu, or relu: max(x, 0) + 0.001, what the LRA code runs as Performer")
    var kernel = Kernel.elu
  }

  private let projections: MultiHead
  private let epsilon: Float
  private let features: FeatureMap

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope)
    epsilon = Float(options.epsilon)
    features = options.kernel == .elu ? .eluPlusOne : .relu(epsilon: 1e-3)
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let (query, key, value) = projections.queryKeyValue(x)
    let mixed = linearAttention(
      query: query, key: key, value: value, sequences: context.sequences, features: features,
      epsilon: epsilon)
    return projections.finish(
      x, context.probed(mixed, query: query, key: key, value: value), context)
  }
}
