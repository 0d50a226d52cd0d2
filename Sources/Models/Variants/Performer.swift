// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation

/// Softmax attention estimated with M random features of query and key, linear in the length.
///
/// ```
/// x̃ = x/D^¼    φ(x)ᵣ = (exp(ωᵣ·x̃ - ‖x̃‖²/2) + ε)/√M        E φ(q)·φ(k) = exp(q·k/√D) for ε = 0
/// oᵢ = φ(qᵢ)ᵀ·Σⱼ φ(kⱼ)vⱼᵀ / φ(qᵢ)ᵀ·Σⱼ φ(kⱼ)
/// ```
/// With the kernel `relu`, φ(x)ᵣ = (max(ωᵣ·x̃, 0) + ε)/√M instead.
///
/// Step s of a training uses draw number (s - 1)/redraw of the rows ω, so each serves `redraw`
/// steps, and an evaluation meets the rows that the last step had. The rows are saved with the
/// weights, and drawn at the step that begins with new ones: a resumed run sees what the
/// uninterrupted one sees.
/// - Complexity: O(L·E·M) time, O(L·E) memory.
///
/// Source: Choromanski et al., "Rethinking Attention with Performers" (2021), arXiv 2009.14794,
/// sections 2.3 (positive features), 2.4 (orthogonal rows) and A (stabilisers); redrawing every
/// 1000 steps and M = ⌊D·ln D⌋ are lucidrains/performer-pytorch's.
/// Differs: see ``about``.
struct Performer: Mixer {
  static let about = VariantDescription(
    name: "performer", paper: "Choromanski et al., Rethinking Attention with Performers",
    year: 2021,
    arXiv: "2009.14794", cost: .linear,
    summary: "Softmax attention estimated with positive orthogonal random features (FAVOR+).",
    parts: [.heads, .projections],
    deviations: [
      "The LRA code and performer-pytorch take Q of a QR decomposition as it comes, which is biased; "
        + "here the blocks are uniformly distributed.",
      "The LRA code runs max(x, 0) + 0.001 without random features by default: the model linear with "
        + "model.kernel=relu. On ListOps it has 2 features; they are drawn anew in every pass.",
      "In the LRA code padding enters the sums and the largest exponent.",
      "model.attention-dropout has no effect: the weights are never computed.",
    ])

  /// What the features estimate.
  enum Kernel: String, SettingChoice {
    /// exp(q·k/√D).
    case softmax
    /// E max(ω·q̃, 0)·max(ω·k̃, 0).
    case relu
  }

  struct Options: VariantOptions {
    @Knob("M, random features per head; 0 means D·ln D", 0...) var features = 0
    @Knob("softmax, or relu for a rectifier in place of the exponential")
    var kernel = Kernel.softmax
    @Knob("whether each D of the random rows are orthogonal") var orthogonal = true
    @Knob("length of the random rows: chi (unbiased) or sqrt-d (less variance)")
    var norms = RandomRows.Norms.chi
    @Knob("training steps between new random rows; 0 means never", 0...) var redraw = 1000
    @Knob("ε, added to each feature; 0 means 0.0001 for softmax and 0.001 for relu", 0...)
    var epsilon = 0.0

    func rows(_ width: Int) -> RandomRows {
      let usual = max(1, Int(Double(width) * log(Double(width))))
      var rows = RandomRows(count: features == 0 ? usual : features, width: width)
      rows.orthogonal = orthogonal
      rows.norms = norms
      return rows
    }
  }

  private let projections: MultiHead
  private let rows: Parameter
  private let options: Options

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    let (rows, heads) = (options.rows(size.headWidth), size.heads)
    projections = MultiHead(size, scope)
    self.rows = scope.weight(
      "features", [heads * rows.count, rows.width],
      .drawn { random, _ in rows.draw(heads: heads, &random) }, group: .buffer)
    self.options = options
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let (query, key, value) = projections.queryKeyValue(x)
    let mixed = linearAttention(
      query: query, key: key, value: value, sequences: context.sequences,
      features: features(context.redrawn(rows, every: options.redraw)),
      epsilon: 0)
    return projections.finish(
      x, context.probed(mixed, query: query, key: key, value: value), context)
  }

  private func features(_ rows: Tensor) -> FeatureMap {
    let given = Float(options.epsilon)
    return switch options.kernel {
    case .softmax: .randomSoftmax(rows, epsilon: given == 0 ? 1e-4 : given)
    case .relu: .randomRelu(rows, epsilon: given == 0 ? 1e-3 : given)
    }
  }
}
