// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention to K projected keys and values instead of all L.
///
/// ```
/// O = softmax(Q·(P·K)ᵀ/√D)·(R·V)      P, R: [K, L]
/// ```
/// - Complexity: O(L·K·E) time, O(L·E) memory.
///
/// Source: Wang et al., "Linformer: Self-Attention with Linear Complexity" (2020),
/// arXiv 2006.04768, equation 7; the sharing modes are those of its section 4.
/// Differs: see ``about``.
struct Linformer: Mixer {
  static let about = VariantDescription(
    name: "linformer",
    paper: "Wang et al., Linformer: Self-Attention with Linear Complexity", year: 2020,
    arXiv: "2006.04768", cost: .linear,
    summary: "Softmax attention to K projected keys and values.",
    deviations: [
      "The projections begin normal with deviation 1/√L; the paper does not say how.",
      "The LRA code always uses K = 16, whatever is configured, and projects padding too.",
    ])

  /// Which projections are the same matrix.
  enum Sharing: String, SettingChoice {
    /// Every head has its own for keys and its own for values.
    case none
    /// The heads of a layer share one for keys and one for values.
    case headwise
    /// The heads of a layer share one for keys and values.
    case keyValue = "key-value"
    /// All layers, heads, keys and values share one.
    case layerwise
  }

  struct Options: VariantOptions {
    @Knob("K, the length that keys and values are projected to", 1...) var projected = 256
    @Knob("which projections are one matrix: none, headwise, key-value or layerwise")
    var sharing = Sharing.headwise

    func validate(_ size: MixerSize) throws {
      guard projected <= size.length else {
        throw UserError(
          .configuration,
          "model.projected is \(projected), but must lie between 1 and the length \(size.length)",
          remedy: "use, for example, --set model.projected=\(min(256, size.length))")
      }
    }
  }

  private let projections: MultiHead
  private let projected: Int
  private let keyValue: WeightMaps
  private let weights: [Parameter]
  private let sharing: Sharing

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope)
    keyValue = WeightMaps([projections.key, projections.value])
    projected = options.projected
    sharing = options.sharing
    let shape = [options.projected, size.length]
    let initializer = Initializer.normal(1 / Double(size.length).squareRoot())
    let heads = size.headNumbers
    switch options.sharing {
    case .none:
      weights = ["key", "value"].flatMap { side in
        heads.map { scope.weight("projection.\(side).\($0)", shape, initializer) }
      }
    case .headwise:
      weights = ["key", "value"].map { scope.weight("projection.\($0)", shape, initializer) }
    case .keyValue:
      weights = [scope.weight("projection.key", shape, initializer)]
    case .layerwise:
      weights = [scope.shared("linformer.projection", shape, initializer)]
    }
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let rows = x.normalized
    let query = projections.heads(projections.query(rows, context), 0)
    let (keys, values) =
      sharing == .none ? projectHeads(rows, context) : projectRows(rows, context)
    let mixed = attention(
      query: query, key: keys, value: values, queries: context.sequences,
      keys: PackedSequences(count: context.sequences.count, length: projected),
      dropout: projections.weightDropout(context), precision: context.precision)
    return projections.finish(
      x, context.probed(mixed) { exact(query, rows, context) }, context)
  }

  /// Attention to all keys, not to those of the projected sequence.
  private func exact(_ query: HeadsView, _ rows: Tensor, _ context: ForwardContext) -> Tensor {
    let both = keyValue(rows, context)
    return attention(
      query: query, key: projections.heads(both, 0), value: projections.heads(both, 1),
      queries: context.sequences, keys: context.sequences, precision: context.precision)
  }

  /// P·(X·Wₖᵀ) for each head's own P, and the same of the values.
  private func projectHeads(_ rows: Tensor, _ context: ForwardContext) -> (HeadsView, HeadsView) {
    let both = keyValue(rows, context)
    let short = projectSequence(
      both, projections: weights.map(\.tensor), groups: Array(weights.indices),
      sequences: context.sequences, precision: context.precision)
    return (projections.heads(short, 0), projections.heads(short, 1))
  }

  /// (P·X)·Wₖᵀ where the heads share P: the same numbers, but K rows instead of L go through Wₖ.
  private func projectRows(_ rows: Tensor, _ context: ForwardContext) -> (HeadsView, HeadsView) {
    let short = weights.map {
      projectSequence(
        rows, projections: [$0.tensor], groups: [0], sequences: context.sequences,
        precision: context.precision)
    }
    let keys = projections.key(short[0], context)
    let values = projections.value(short[short.count - 1], context)
    return (projections.heads(keys, 0), projections.heads(values, 0))
  }
}
