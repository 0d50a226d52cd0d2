import Autodiff
import Base

/// Attention with the kernel φ(x) = elu(x) + 1, linear in the length.
///
/// ```
/// oᵢ = φ(qᵢ)ᵀ·Σⱼ φ(kⱼ)vⱼᵀ / (φ(qᵢ)ᵀ·Σⱼ φ(kⱼ) + ε)
/// ```
/// - Complexity: O(L·E·D) time, O(L·E) memory.
///
/// Source: Katharopoulos et al., "Transformers are RNNs: Fast Autoregressive Transformers with Linear
/// Attention" (2020), arXiv 2006.16236, equations 4–7.
/// Differs: the LRA code lets padding into both sums. The paper's attention has no dropout on its
/// (never computed) weights, so `model.attention-dropout` has no effect.
struct LinearTransformer: Mixer {
  static let about = VariantDescription(
    name: "linear",
    paper: "Katharopoulos et al., Transformers are RNNs", year: 2020, arXiv: "2006.16236",
    cost: .linear, summary: "Attention with the kernel elu + 1, bidirectional.",
    options: ["epsilon": "ε of the denominator"],
    deviations: [
      "The LRA code lets padding into both sums; here padding does not exist.",
      "model.attention-dropout has no effect: the weights are never computed.",
    ])

  struct Options: VariantOptions {
    /// ε of the denominator.
    var epsilon = 1e-6

    init() {}

    func validate(_ size: MixerSize) throws {
      guard epsilon >= 0 else {
        throw UserError(
          .configuration, "model.epsilon is \(epsilon), but must not be negative.",
          remedy: "Use a small positive number such as 1e-6.")
      }
    }
  }

  private let projections: MultiHead
  private let epsilon: Float

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope)
    epsilon = Float(options.epsilon)
  }

  func callAsFunction(_ x: PreNorm, _ pass: Pass) -> Tensor {
    let (query, key, value) = projections.queryKeyValue(x)
    let mixed = linearAttention(
      query: query, key: key, value: value, segments: pass.segments, epsilon: epsilon)
    return projections.finish(x, mixed, pass)
  }
}
