// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention whose logits are synthesised, not compared: no products of queries and keys.
///
/// ```
/// O = softmax(A)·V                       per head; i and j are positions, h = relu(W₁x + b₁)
/// dense              A[i, j] = W₂[j]·hᵢ + b₂[j]
/// factorised-dense   A[i, j] = aᵢ[j mod a]·cᵢ[⌊j/a⌋]      aᵢ = Wₐhᵢ + bₐ, cᵢ = W_c·hᵢ + b_c
/// random             A[i, j] = R[i, j]
/// factorised-random  A[i, j] = R₁[i]·R₂[j]                k numbers each
/// mixture            A = α₁·A + α₂·Q·Kᵀ/√D                α = softmax of two trained numbers
/// ```
/// Dense and factorised-random logits are products of rows, so they are exact attention with other
/// queries and keys; the other two are added to a tile of logits where it is needed.
/// - Complexity: O(L²·E) time; O(L·E) memory, and H·L² weights for random.
///
/// Source: Tay et al., "Synthesizer: Rethinking Self-Attention in Transformer Models" (2020),
/// arXiv 2005.00743, section 3.
/// Differs: see ``about``.
struct Synthesizer: Mixer {
  static let about = VariantDescription(
    name: "synthesizer",
    paper: "Tay et al., Synthesizer: Rethinking Self-Attention in Transformer Models", year: 2020,
    arXiv: "2005.00743", cost: .quadratic,
    summary: "Softmax attention with logits from each token alone, or from positions alone.",
    parts: [.heads, .droppedWeights],
    deviations: [
      "The paper repeats both factors of factorised-dense along the keys; here one runs within "
        + "blocks of a = √L rounded up to 16 keys and the other from block to block, so that no two "
        + "keys share both.",
      "The hidden layer is shared by both factors, as the paper's number of parameters says.",
      "random begins with the variance of the LRA code, 1/(H·L), and so does factorised-random.",
      "The authors' code (mesh_tensorflow) shares W₂ among heads, without biases; here each head "
        + "has its own.",
      "The LRA code, whatever is configured, adds a random table to the products of queries and "
        + "keys without weights; kind=random with mixture=true is nearest to it.",
    ])

  /// How logits are made.
  enum Kind: String, SettingChoice {
    case dense
    case factorisedDense = "factorised-dense"
    case random
    case factorisedRandom = "factorised-random"
  }

  struct Options: VariantOptions {
    @Knob("how logits are made: dense, factorised-dense, random or factorised-random")
    var kind = Kind.dense
    @Knob("whether to mix them with those of queries and keys, by trained weights")
    var mixture = false
    @Knob("k of factorised-random", 1...) var rank = 8

    var idle: [String: String] {
      kind == .factorisedRandom
        ? [:] : ["rank": "only model.kind factorised-random has factors of a rank"]
    }

    func validate(_ size: MixerSize) throws {
      // Values, gradients and the optimizer's two means.
      let bytes = size.heads * size.length * size.length * 4 * 4 * size.layers
      guard kind != .random || bytes <= 16 << 30 else {
        throw UserError(
          .configuration,
          "model.kind=random needs \(bytes >> 30) GiB for \(size.heads) tables of \(size.length) × "
            + "\(size.length) in each of \(size.layers) layers, with gradients and moments; "
            + "the limit is 16 GiB",
          remedy: "use model.kind=factorised-random, fewer heads or a smaller task.length")
      }
    }
  }

  /// W₂ and b₂, a row for each key.
  private struct DenseTable {
    let weight: Parameter
    let bias: Parameter
  }

  /// The weights of each kind.
  private enum Source {
    case dense(hidden: WeightMap, table: DenseTable)
    case factorisedDense(hidden: WeightMap, fine: Linear, coarse: Linear)
    case random(Parameter)
    case factorisedRandom(query: Parameter, key: Parameter)
  }

  private let size: MixerSize
  private let source: Source
  /// Queries, keys and the two numbers whose softmax is α.
  private let products: (query: WeightMap, key: WeightMap, scalars: Parameter)?
  private let value: WeightMap
  private let output: OutputProjection
  private let attentionDropout: DropoutLayer

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    let (inside, outside) = (size.attentionWidth, size.width)
    self.size = size
    source = Self.makeSource(size, options, scope)
    products =
      options.mixture
      ? (
        WeightMap(outside, inside, scope.scope("query"), .xavierUniform),
        WeightMap(outside, inside, scope.scope("key"), .xavierUniform),
        scope.weight("mixture", [2], .zeros)
      ) : nil
    value = WeightMap(outside, inside, scope.scope("value"), .xavierUniform)
    output = OutputProjection(size, scope)
    attentionDropout = DropoutLayer(size.attentionDropout, at: scope.place + ".weights")
  }

  private static func makeSource(
    _ size: MixerSize, _ options: Options, _ scope: ParameterScope
  ) -> Source {
    let (heads, width, length) = (size.heads, size.headWidth, size.length)
    let hidden = {
      WeightMap(
        size.width, size.attentionWidth, scope.scope("hidden"), .xavierUniform, bias: true)
    }
    // Xavier's deviation of one head's map.
    let map = { (outputs: Int) in Initializer.normal((2 / Double(width + outputs)).squareRoot()) }
    let variance = 1 / Double(heads * length)
    switch options.kind {
    case .dense:
      return .dense(
        hidden: hidden(),
        table: DenseTable(
          weight: scope.weight("table.weight", [length, heads * width], map(length)),
          bias: scope.weight("table.bias", [length, heads], .zeros)))
    case .factorisedDense:
      let fine = fineWidth(length)
      let coarse = (length + fine - 1) / fine
      return .factorisedDense(
        hidden: hidden(), fine: Linear(width, heads * fine, scope.scope("fine"), map(fine)),
        coarse: Linear(width, heads * coarse, scope.scope("coarse"), map(coarse)))
    case .random:
      return .random(
        scope.weight("table", [heads * length, length], .normal(variance.squareRoot())))
    case .factorisedRandom:
      let deviation = (variance / Double(options.rank)).squareRoot().squareRoot()
      let shape = [length, heads * options.rank]
      return .factorisedRandom(
        query: scope.weight("table.query", shape, .normal(deviation)),
        key: scope.weight("table.key", shape, .normal(deviation)))
    }
  }

  /// a: √L, rounded up to whole vectors.
  static func fineWidth(_ length: Int) -> Int {
    (Int(Double(length).squareRoot().rounded(.up)) + 15) / 16 * 16
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let rows = x.normalized
    let logits = mixed(rows, context)
    let value = heads(value(rows, context))
    let dropout = attentionDropout(context)
    let result =
      logits.query.isEmpty
      ? attention(
        logits: logits.term, value: value, sequences: context.sequences, dropout: dropout,
        precision: context.precision)
      : attention(
        query: joinHeads(logits.query), key: joinHeads(logits.key), value: value,
        queries: context.sequences, keys: context.sequences, scale: 1, adding: logits.term,
        dropout: dropout, precision: context.precision)
    return output(x.residual, adding: result, context)
  }

  /// What the logits are made of: products of joined queries and keys, and a term beside them.
  private struct Logits {
    var query: [HeadPart] = []
    var key: [HeadPart] = []
    var term = AttentionBias.none
  }

  /// The synthesised logits, with the products of queries and keys if they are mixed in.
  private func mixed(_ rows: Tensor, _ context: ForwardContext) -> Logits {
    guard let products else { return synthesised(rows, context, nil) }
    let weights = (0..<2).map { mixtureWeight(products.scalars.tensor, $0) }
    var logits = synthesised(rows, context, weights[0])
    let query = heads(products.query(rows, context))
    logits.query.append(
      HeadPart(query, scale: 1 / Float(query.width).squareRoot(), factor: weights[1]))
    logits.key.append(
      HeadPart(heads(products.key(rows, context))))
    return logits
  }

  /// - Parameter factor: α₁.
  private func synthesised(_ rows: Tensor, _ context: ForwardContext, _ factor: Tensor?) -> Logits {
    switch source {
    case .dense(let hidden, let table):
      let bias = heads(tableRows(table.bias.tensor, sequences: context.sequences))
      return Logits(
        query: [
          HeadPart(
            heads(hidden(rows, activation: .relu, context)), factor: factor)
        ],
        key: [HeadPart(heads(tableRows(table.weight.tensor, sequences: context.sequences)))],
        term: .keyBias(joinHeads([HeadPart(bias, factor: factor)])))
    case .factorisedDense(let hidden, let fine, let coarse):
      let inside = hidden(rows, activation: .relu, context)
      let factors = [fine, coarse].map {
        heads(
          groupedLinear(
            inside, weight: $0.tensors.weight, bias: $0.tensors.bias, groups: size.heads,
            precision: context.precision))
      }
      return Logits(term: .outer(joinHeads([HeadPart(factors[0], factor: factor)]), factors[1]))
    case .random(let table):
      return Logits(term: .table(table.tensor, factor: factor))
    case .factorisedRandom(let query, let key):
      return Logits(
        query: [
          HeadPart(heads(tableRows(query.tensor, sequences: context.sequences)), factor: factor)
        ],
        key: [HeadPart(heads(tableRows(key.tensor, sequences: context.sequences)))])
    }
  }

  private func heads(_ tensor: Tensor) -> HeadsView {
    HeadsView(tensor, count: size.heads, width: tensor.columns / size.heads)
  }
}
