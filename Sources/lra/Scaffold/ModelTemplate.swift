// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The files of a model to start from: attention with a trained sharpness.
struct ModelTemplate {
  static let pythonFolder = "data-scripts/reference/variants"

  /// The name on the command line, as `my-attention`.
  let name: String
  /// The Swift type, as `MyAttention`.
  let type: String

  /// - Throws: `UserError` for a name that is not lower-case words with hyphens.
  init(_ name: String) throws {
    let checked = try ScaffoldName(name, of: "model")
    (self.name, type) = (checked.name, checked.type)
  }

  var swiftPath: String { "Sources/Models/Variants/\(type).swift" }
  var pythonPath: String {
    "\(Self.pythonFolder)/\(name.replacingOccurrences(of: "-", with: "_")).py"
  }

  /// The mixer.
  var swift: String {
    #"""
    // SPDX-License-Identifier: Apache-2.0

    import Autodiff
    import Base

    /// Softmax attention with a trained sharpness: a model to start from.
    ///
    /// ```
    /// O = softmax(s·Q·Kᵀ/√D)·V      per head, one s for all
    /// ```
    /// - Complexity: O(L²·E) time, O(L·E) memory.
    ///
    /// Source: authors, title, year, arXiv number, equations.
    /// Differs: see ``about``.
    struct \#(type): Mixer {
      static let about = VariantDescription(
        name: "\#(name)", paper: "Not published", year: \#(year),
        arXiv: VariantDescription.unpublished, cost: .quadratic,
        summary: "Softmax attention with a trained sharpness.", deviations: [])

      struct Options: VariantOptions {
        @Knob("s, the first value of the trained factor of all logits", above: 0)
        var sharpness = 1.0
      }

      private let projections: MultiHead
      private let sharpness: Parameter

      init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
        projections = MultiHead(size, scope)
        let start = Float(options.sharpness)
        sharpness = scope.weight("sharpness", [1], .drawn { _, _ in [start] })
      }

      func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
        let (query, key, value) = projections.queryKeyValue(x)
        let mixed = attention(
          query: joinHeads([HeadPart(query, factor: sharpness.tensor)]), key: key, value: value,
          queries: context.sequences, keys: context.sequences,
          dropout: projections.weightDropout(context))
        return projections.finish(x, mixed, context)
      }
    }

    """#
  }

  private var year: Int { Calendar(identifier: .gregorian).component(.year, from: Date()) }

  /// The same formula for the reference values.
  var python: String {
    """
    # SPDX-License-Identifier: Apache-2.0
    \"""Softmax attention with a trained sharpness: a model to start from.

    Values are those of ..autodiff, in float64: + - * / @ ** between them, exp, log, sqrt, tanh,
    sigmoid, maximum, relu, logsumexp, concatenate, stack, where; NumPy's functions do not take them.
    \"""

    from ..layers import (attention, heads, join_heads, multi_head_shapes,
                          query_key_value)


    def shapes(model, options, layer):
        return {**multi_head_shapes(model), "sharpness": (1,)}


    def mix(model, options, p, prefix, x):
        \"""Row i of a head is Σ_j softmax_j(s q_i · k_j / √D) v_j.\"""
        q, k, v = query_key_value(p, prefix, x)
        q = q * p[prefix + "sharpness"]
        return join_heads(p, prefix, [
            attention(*head)
            for head in zip(heads(model, q), heads(model, k), heads(model, v))])


    def draw(model, options, name, shape, rng):
        return rng.uniform(0.5, 1.5, shape) if name.endswith("sharpness") else None


    FIXTURES = {
        "\(name)": {"options": {"sharpness": 1.0}},
    }

    """
  }
}
