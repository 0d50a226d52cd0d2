// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention to a window around each token, and to and from a few global tokens.
///
/// ```
/// i not global: softmax over { j : |i - j| ≤ w/2 } ∪ G of qᵢ·kⱼ/√D
/// i global:     softmax over all j of q̃ᵢ·k̃ⱼ/√D, with values ṽⱼ      q̃, k̃, ṽ: projections of their own
/// ```
/// G holds the first tokens of the sequence; with CLS pooling the first one is the class token. Then
/// the local projections of the last block have no effect: the one row that is used is a global one.
/// - Complexity: O(L·(w + |G|)·E) time, O(L·E) memory.
///
/// Source: Beltagy et al., "Longformer: The Long-Document Transformer" (2020), arXiv 2004.05150,
/// sections 3.1 to 3.3.
/// Differs: see ``about``.
struct Longformer: Mixer {
  static let about = VariantDescription(
    name: "longformer", paper: "Beltagy et al., Longformer: The Long-Document Transformer",
    year: 2020, arXiv: "2004.05150", cost: .linear,
    summary: "Softmax attention to a sliding window and to and from global tokens.",
    deviations: [
      "The window is not dilated.",
      "Global projections are drawn like the others; the paper copies them from a trained model.",
      "The LRA code has no global tokens, yet has their projections, and computes L × L scores.",
    ])

  struct Options: VariantOptions {
    @Knob("w, tokens that a token sees on both sides together", 0...) var window = 512
    @Knob("tokens at the start that see all and that all see; 1 is the class token", 0...)
    var global = 1

    func validate(_ size: MixerSize) throws {
      guard window % 2 == 0 else {
        throw UserError(
          .configuration, "model.window is \(window), but must be even: half on either side",
          remedy: "use \(window + 1)")
      }
    }
  }

  private let projections: MultiHead
  private let options: Options
  /// The maps of global tokens, and of all tokens to their keys and values.
  private let global: (query: WeightMaps, keyValue: WeightMaps)?

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope)
    self.options = options
    guard options.global > 0 else {
      global = nil
      return
    }
    let map = { (name: String) in
      WeightMap(size.width, size.attentionWidth, scope.scope("global-\(name)"), .xavierUniform)
    }
    let query = map("query")
    let key = size.tieQueryKey ? query : map("key")
    let value = size.tieKeyValue ? key : map("value")
    global = (WeightMaps([query]), WeightMaps([key, value]))
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let (query, key, value) = projections.queryKeyValue(x)
    var mixed = patternAttention(
      query: query, key: key, value: value, sequences: context.sequences,
      patterns: context.sequences.patterns { [pattern($0)] },
      dropout: projections.weightDropout(context), precision: context.precision)
    mixed = context.probed(mixed, query: query, key: key, value: value)
    if let global {
      let first = x.leading(options.global, context.sequences)
      let all = global.keyValue(x)
      let rows = attention(
        query: projections.heads(global.query(first.rows), 0),
        key: projections.heads(all, 0), value: projections.heads(all, 1),
        queries: first.sequences, keys: context.sequences,
        dropout: projections.weightDropout(context), dropoutRows: context.sequences,
        precision: context.precision)
      mixed = replacingLeadingRows(
        mixed, with: rows, sequences: context.sequences, leading: first.sequences)
    }
    return projections.finish(x, mixed, context)
  }

  /// Who sees what, global tokens as queries aside.
  private func pattern(_ length: Int) -> AttentionPattern {
    var pattern = AttentionPattern(length: length)
    let window = -options.window / 2...options.window / 2
    let global = min(options.global, length)
    let all = pattern.list(0..<length)
    pattern.connect(
      global..<length,
      to: [
        .init(all, rule: .inside(window)),
        .init(all, part: 0..<global, rule: .outside(window)),
      ])
    return pattern
  }
}
