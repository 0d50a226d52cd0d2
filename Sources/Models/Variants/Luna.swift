// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Two attentions through a short sequence P that all layers work on: P gathers what the tokens
/// hold, and the tokens attend to what P has gathered.
///
/// ```
/// Y = Attention(P, X)      X ← X + W·Attention(X, Y)      P ← LayerNorm(P + Y)
/// ```
/// P has l rows, learned before the first layer. Keys and values are one projection: of X in the
/// first attention, of Y in the second.
/// - Complexity: O(L·l·E) time, O((L + l)·E) memory.
///
/// Source: Ma et al., "Luna: Linear Unified Nested Attention" (2021), arXiv 2106.01540, section 3.
/// Differs: see ``about``.
struct Luna: Mixer {
  static let about = VariantDescription(
    name: "luna", paper: "Ma et al., Luna: Linear Unified Nested Attention", year: 2021,
    arXiv: "2106.01540", cost: .linear,
    summary: "Attention into a short learned sequence and back.",
    parts: [.heads, .droppedWeights],
    deviations: [
      "The tokens' norm comes before each layer, where the paper has it after.",
      "The short sequence is normalised where a layer reads it: after every layer but the last, as "
        + "in the paper, and once before the first.",
      "The short sequence begins normal with deviation 1, without the authors' sinusoids.",
      "The maps have no biases and begin without the gain of 1/√2.",
      "The authors' code hides all but n rows of the short sequence from n < l tokens; here they "
        + "see all.",
    ])

  struct Options: VariantOptions {
    @Knob("l, the rows of the short sequence (16, 128 and 256 in the authors' LRA runs)", 1...)
    var packed = 256
    @Knob("whether keys and values are the same projection", key: "tie-kv") var tieKeyValue = true

    func validate(_ size: MixerSize) throws {
      guard size.heads == size.whole.heads else {
        throw UserError(
          .configuration,
          "model.kept-heads: the heads of luna cannot be pruned: its short sequence is as wide as they "
            + "are together, in all layers",
          remedy: "leave model.kept-heads out")
      }
    }
  }

  private let packed: Int
  private let start: Parameter
  private let norm: LayerNorm
  private let pack: AttentionMaps
  private let unpack: AttentionMaps
  private let output: OutputProjection
  private let packDropout: DropoutLayer
  private let packedDropout: DropoutLayer
  private let unpackDropout: DropoutLayer

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    let (inside, outside) = (size.attentionWidth, size.width)
    let ties = options.tieKeyValue
    packed = options.packed
    start = scope.shared("luna.packed", [options.packed, inside], .normal(1))
    norm = LayerNorm(inside, scope.norms.scope("pack.norm"))
    pack = AttentionMaps(from: inside, to: outside, size, ties: ties, scope.scope("pack"))
    unpack = AttentionMaps(from: outside, to: inside, size, ties: ties, scope)
    output = OutputProjection(size, scope)
    packDropout = DropoutLayer(size.attentionDropout, at: scope.place + ".pack.weights")
    packedDropout = DropoutLayer(size.dropout, at: scope.place + ".pack")
    unpackDropout = DropoutLayer(size.attentionDropout, at: scope.place + ".weights")
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let count = context.sequences.count
    let short = PackedSequences(count: count, length: packed)
    let carried =
      context.carried[PackedSequence.self] ?? stacked(Array(repeating: start.tensor, count: count))
    let state = layerNorm(carried, norm: norm.norm)
    let tokens = x.normalized
    let gathered = pack(
      state, short, tokens, context.sequences, packDropout(context, rowsPerSequence: packed),
      context)
    context.carried[PackedSequence.self] = residualSum(
      state, adding: gathered, dropout: packedDropout(context, rowsPerSequence: packed))
    let mixed = unpack(
      tokens, context.sequences, gathered, short, unpackDropout(context), context)
    return output(x.residual, adding: mixed, context)
  }

  /// P of every sequence, as the layer before left it.
  private enum PackedSequence: CarriedKey {}
}

/// The maps of one of the two attentions: to queries, and to keys and values.
private struct AttentionMaps {
  private let query: WeightMap
  /// One for keys and values, or one for each.
  private let keyValue: WeightMaps
  /// The block of columns that holds the values.
  private let valueBlock: Int
  private let size: MixerSize

  init(from: Int, to: Int, _ size: MixerSize, ties: Bool, _ scope: ParameterScope) {
    let inside = size.attentionWidth
    query = WeightMap(from, inside, scope.scope("query"), .xavierUniform)
    keyValue = WeightMaps(
      (ties ? ["context"] : ["key", "value"]).map {
        WeightMap(to, inside, scope.scope($0), .xavierUniform)
      })
    valueBlock = ties ? 0 : 1
    self.size = size
  }

  /// Attention of the rows of one tensor to those of another.
  func callAsFunction(
    _ rows: Tensor, _ queries: PackedSequences, _ others: Tensor, _ keys: PackedSequences,
    _ dropout: Dropout, _ context: ForwardContext
  ) -> Tensor {
    let all = keyValue(others, context)
    return attention(
      query: size.view(query(rows, context)), key: size.view(all),
      value: size.view(all, valueBlock), queries: queries, keys: keys,
      dropout: dropout, precision: context.precision)
  }
}
