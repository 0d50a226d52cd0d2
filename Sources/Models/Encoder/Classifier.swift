// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// A pre-norm encoder around the mixers of one variant, with a classifier on top.
///
/// ```
/// h = drop(T[token] + P[position])
/// h = h + drop(Mix(LayerNorm(h)));  h = h + FeedForward(LayerNorm(h))      for each block
/// logits = W₂·relu(W₁·pool(LayerNorm(h)) + b₁) + b₂
/// ```
/// With F = 0 there is no FeedForward, and logits = W₂·pool(LayerNorm(h)) + b₂. For other places and
/// kinds of normalisation see ``Normalization``.
///
/// Where two sequences are compared, both go through the same encoder, none sees the other, and the
/// classifier gets [a, b, a ⊙ b, a − b] of their pooled rows a and b in place of one row.
///
/// Source: Tay et al., "Long Range Arena" (2020), arXiv 2011.04006, and its code's encoder.
/// Differs: the mean is over the real tokens, where the LRA code's counts padding. Of two sequences
/// the code compares [a, b], though its paper says what we do, with one more layer of F/2 on top.
package final class Classifier {
  /// What it was built from.
  package let configuration: ModelConfiguration
  /// Of the operands of its products; the weights are fp32 always.
  package let precision: Precision
  /// Blocks of which a training keeps the input only, computing them again in the backward pass; 0 where
  /// it keeps what they save.
  private let recomputedBlocks: Int
  /// What the values are rounded to that a training keeps for the backward pass.
  private let saved: Precision
  /// The probability that a step of a training leaves a block out.
  private let layerDrop: Double
  /// Whether it computes as its weights would as bytes, though they are floats.
  let roundsToBytes: Bool
  /// Its weights.
  package let parameters: Parameters
  /// The row of token 0, which stands for hidden ones, where an objective trains it beside the model;
  /// [1, E].
  package var hiddenRow: Parameter?
  private let tokens: TokenEmbedding
  private let learnedPositions: LearnedPositions?
  private let fixedPositions: Tensor?
  private let classToken: Parameter?
  private let blocks: [Block]
  private let finish: (Tensor, ForwardContext) -> Tensor
  private let norm: BlockNorm?
  private let head: ClassifierHead
  /// Those behind all blocks but the last; none unless the configuration asks for them.
  let exits: [EarlyExit]
  private let embeddingDropout: DropoutLayer

  /// Blocks that the model has.
  package var blockCount: Int { blocks.count }

  private struct Block {
    /// Nil where the mixer is pruned with its norm.
    let norm: BlockNorm?
    let mixer: (any Mixer)?
    let feedForward: (any PositionwiseLayer)?
  }

  /// Builds the model with freshly drawn weights.
  ///
  /// - Parameters:
  ///   - precision: of the operands of its products.
  ///   - saved: fp32, or bf16 for what a training keeps for the backward pass.
  ///   - recomputedBlocks: blocks of which a training keeps the input only.
  ///   - layerDrop: the probability that a step of a training leaves a block out.
  ///   - roundsToBytes: whether it computes as its weights would as bytes of ``Quantisation/int8`` though
  ///     they are floats, to be trained for that.
  /// - Throws: `UserError` if the configuration is not valid.
  package init(
    _ configuration: ModelConfiguration, seed: UInt64, precision: Precision = .fp32,
    saved: Precision = .fp32, recomputedBlocks: Int = 0, layerDrop: Double = 0,
    roundsToBytes: Bool = false
  ) throws {
    try configuration.validate()
    let ranks = try configuration.mapRanks()
    let parameters = Parameters(seed: seed, ranks: ranks)
    let root = parameters.root
    let width = configuration.width
    self.configuration = configuration
    self.precision = configuration.quantised == .int8 || roundsToBytes ? .int8 : precision
    self.roundsToBytes = roundsToBytes
    self.saved = saved
    self.recomputedBlocks = recomputedBlocks
    self.layerDrop = layerDrop
    self.parameters = parameters
    tokens = TokenEmbedding(configuration, root)
    embeddingDropout = DropoutLayer(configuration.dropout, at: "embedding")
    let length = configuration.positionCount
    switch configuration.positions {
    case .learned:
      learnedPositions = LearnedPositions(
        length, width, rank: configuration.positionRank, root.scope("embedding"))
      fixedPositions = nil
    case .fixed:
      learnedPositions = nil
      fixedPositions = sinusoids(length: length, width: width)
    case .none:
      learnedPositions = nil
      fixedPositions = Tensor(
        shape: [length, width], [Float](repeating: 0, count: length * width))
    }
    classToken = configuration.pooling == .cls ? root.weight("embedding.cls", [width], .zeros) : nil
    let parts = try VariantCatalog.named(configuration.name).parts(configuration)
    finish = parts.finish
    let normalization = configuration.normalization
    let ties = TiedBlocks(configuration.settings)
    let tiesNorms = configuration.tieNorms
    blocks = try configuration.blockShapes().blocks.map { block in
      let scope = root.scope("blocks.\(block.number)")
      let size = configuration.mixerSize(block)
      let isPruned = block.heads.isEmpty && configuration.hasHeads
      // What follows a branch stays where the branch is gone.
      let hasNorm = !isPruned || normalization == .batchAfter
      let part = { (name: String) in
        let own = scope.scope(name)
        guard let path = ties.path(ofMixer: name == "mixer", block: block.number) else {
          return own
        }
        return own.sharing("\(path).\(name)", norms: tiesNorms)
      }
      return Block(
        norm: hasNorm
          ? BlockNorm(normalization, width, part("mixer").norms.scope("norm")) : nil,
        mixer: isPruned ? nil : parts.mixer(size, part("mixer")),
        feedForward: block.inner == 0 ? nil : parts.feedForward(size, part("feed-forward")))
    }
    norm =
      normalization == .batchAfter
      ? nil : BlockNorm(normalization, width, root.scope("norm"))
    head = ClassifierHead(configuration, root.scope("head"))
    exits =
      configuration.exits
      ? try configuration.blockShapes().blocks.dropLast().map {
        EarlyExit(configuration, root.scope("exits.\($0.number)"))
      } : []
    try configuration.checkMemory(floats: Double(parameters.room), "the model's weights")
    try Self.check(ranks, of: parameters.maps)
    if roundsToBytes { parameters.roundedToBytes = namesOfBytes }
  }

  /// The scores of each class for each sequence, or for each two that belong together.
  ///
  /// - Parameters:
  ///   - input: the packed sequences, those that belong together next to each other.
  ///   - mode: whether to train or to evaluate.
  /// - Returns: [B, C].
  package func callAsFunction(
    _ input: PackedTokens, _ mode: ForwardMode = .evaluation
  ) -> Tensor {
    logits(encode(input, mode))
  }

  /// The rows of all tokens behind the last block and the last normalisation.
  ///
  /// - Parameters:
  ///   - observing: whether what the mixers add is kept.
  ///   - exiting: whether the exits answer.
  /// - Precondition: what is to be observed is not computed again in the backward pass.
  package func encode(
    _ input: PackedTokens, _ mode: ForwardMode = .evaluation, observing: Bool = false,
    exiting: Bool = false
  ) -> EncodedSequences {
    let rows = configuration.pooling == .cls ? input.prependingClassToken : input
    let context = rows.context(mode, precision)
    var mixerOutputs: [Tensor?] = []
    var blockInputs: [Tensor] = []
    var exitLogits: [Tensor] = []
    var h = embedded(rows, context)
    if recomputedBlocks > 0 && context.isTraining {
      precondition(!observing, "classifier: mixers of blocks that are computed again")
      for first in stride(from: 0, to: blocks.count, by: recomputedBlocks) {
        let part = first..<min(first + recomputedBlocks, blocks.count)
        let (rows, answers) = recomputed(part, h, context, exiting: exiting)
        h = rows
        exitLogits += answers
      }
    } else {
      for block in blocks.indices {
        if observing { blockInputs.append(h) }
        h = run(block, h, context) { if observing { mixerOutputs.append($0()) } }
        if exiting, block < exits.count { exitLogits.append(exits[block](h, context)) }
      }
    }
    return EncodedSequences(
      rows: finished(h, context), sequences: context.sequences, tokens: rows.tokens,
      mixerOutputs: mixerOutputs, blockInputs: blockInputs, exitLogits: exitLogits)
  }

  /// What each mixer adds to given rows, in place of those that the block before it makes; nil where there is
  /// none.
  ///
  /// - Parameters:
  ///   - input: the packed sequences.
  ///   - inputs: the rows of each block, [N, E], of as many rows as the model would have.
  package func mixerOutputs(
    _ input: PackedTokens, _ mode: ForwardMode, blockInputs inputs: [Tensor]
  ) -> [Tensor?] {
    let rows = configuration.pooling == .cls ? input.prependingClassToken : input
    let context = rows.context(mode, precision)
    return zip(blocks, inputs).map { block, h in
      guard let norm = block.norm, let mixer = block.mixer else { return nil }
      return elementwise(.difference, mixer(norm.before(h, context), context), h)
    }
  }

  /// The scores of each class, [B, C], from the rows of all tokens.
  package func logits(_ encoded: EncodedSequences) -> Tensor {
    head(encoded.rows, encoded.sequences)
  }

  /// The same from the rows behind the last block.
  func logits(behindLast h: Tensor, _ context: ForwardContext) -> Tensor {
    head(finished(h, context), context.sequences)
  }

  /// The rows that the first block takes.
  func embedded(_ rows: PackedTokens, _ context: ForwardContext) -> Tensor {
    embed(
      Indices(rows.tokens), table: table, positions: positions,
      classToken: classToken?.tensor,
      sequences: context.sequences,
      dropout: embeddingDropout(context))
  }

  /// The rows behind the last normalisation.
  private func finished(_ h: Tensor, _ context: ForwardContext) -> Tensor {
    let rows = finish(h, context)
    return norm.map { $0.before(rows, context).normalized } ?? rows
  }

  /// The rows behind a block.
  ///
  /// - Parameter observe: is offered what the mixer adds to the rows, nil where there is none.
  func run(
    _ number: Int, _ h: Tensor, _ context: ForwardContext,
    observe: (() -> Tensor?) -> Void = { _ in }
  ) -> Tensor {
    let block = blocks[number]
    var mixed = h
    if isLeftOut(number, context) {
      observe { nil }
      return h
    }
    if let norm = block.norm {
      let branch = block.mixer.map { $0(norm.before(h, context), context) }
      observe { branch.map { elementwise(.difference, $0, h) } }
      mixed = norm.after(branch ?? h, context)
      roundSaved(from: h, to: mixed, context)
    } else {
      observe { nil }
    }
    let rows = block.feedForward.map { $0(mixed, context) } ?? mixed
    roundSaved(from: mixed, to: rows, context)
    return rows
  }

  /// Rounds what a branch has saved, which no later layer reads.
  private func roundSaved(from input: Tensor, to output: Tensor, _ context: ForwardContext) {
    guard saved == .bf16 && context.isTraining else { return }
    output.roundSaved(from: input, keeping: context.carried.all)
  }

  /// Whether a step of a training leaves a block out: a function of the seed and the step alone, so that
  /// all parts of a batch agree.
  private func isLeftOut(_ block: Int, _ context: ForwardContext) -> Bool {
    guard layerDrop > 0,
      let key = context.key(site: dropoutSite("blocks.\(block).layer-drop"))
    else { return false }
    return Double(key >> 11) * 0x1p-53 < layerDrop
  }

  /// Runs blocks of which only the input is kept, what was carried to them, and the answers of their exits.
  private func recomputed(
    _ part: Range<Int>, _ h: Tensor, _ context: ForwardContext, exiting: Bool
  ) -> (rows: Tensor, exitLogits: [Tensor]) {
    let (keys, carried) = (context.carried.keys, context.carried.all)
    let exiting = exiting ? part.clamped(to: exits.indices) : part.lowerBound..<part.lowerBound
    var keysAfter: [ObjectIdentifier] = []
    let results = Autodiff.recomputed([h] + carried) { [self] inputs, again in
      let context = context.with(Carried(keys, Array(inputs.dropFirst())), again: again)
      var rows = inputs[0]
      var answers: [Tensor] = []
      for block in part {
        rows = run(block, rows, context)
        if exiting.contains(block) { answers.append(exits[block](rows, context)) }
      }
      keysAfter = context.carried.keys
      return [rows] + answers + context.carried.all
    }
    context.carried.replace(keysAfter, Array(results.dropFirst(1 + exiting.count)))
    return (results[0], Array(results[1..<1 + exiting.count]))
  }

  /// Checks that every rank is that of a map, and saves weights.
  private static func check(_ ranks: [String: Int], of maps: [MapShape]) throws {
    for (path, rank) in ranks.sorted(by: { $0.key < $1.key }) {
      guard let map = maps.first(where: { $0.path == path }), map.rank == rank else {
        let near = nearestNames(to: path, among: maps.map(\.path))
        throw UserError(
          .configuration, "model.ranks: this model has no map \(path) whose rank could be chosen",
          remedy: near.isEmpty ? "leave it out" : "did you mean \(near.joined(separator: " or "))?")
      }
      guard rank < map.limit else {
        throw UserError(
          .configuration,
          "model.ranks: rank \(rank) of \(path), \(map.outputs) × \(map.inputs), saves nothing",
          remedy: "use a rank below \(map.limit), or leave the map out")
      }
    }
  }

  /// The rows of the tokens, [V, E].
  private var table: Tensor {
    guard let hiddenRow else { return tokens.table }
    let all = PackedSequences(count: 1, length: configuration.vocabulary)
    return replacingLeadingRows(
      tokens.table, with: hiddenRow.tensor, sequences: all, leading: all.leading(1))
  }

  private var positions: Tensor {
    if let learnedPositions { return learnedPositions.table }
    guard let fixedPositions else { preconditionFailure("classifier: a model without positions") }
    return fixedPositions
  }
}
