// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention to tokens that a locality-sensitive hash puts near each other.
///
/// ```
/// q = W_q·x    k = q/√(‖q‖² + D·10⁻⁶)    v = W_v·x
/// ```
/// In each of n rounds the tokens of a sequence are sorted by the bucket of q
/// (``Autodiff/AngularHash``), those of one bucket by position, and cut into chunks of c. A token
/// sees its own chunk and the one before (in a circle), but itself only if there is nobody else.
/// ```
/// oᵢ = Σⱼ softmaxⱼ(scale·qᵢ·kⱼ)·vⱼ        over all j that token i sees in any round
/// ```
/// That is the paper's sum of the rounds' results, weighted by their shares of the softmax, with
/// log Nᵢⱼ subtracted from pairs that meet in Nᵢⱼ rounds; without `count-once` they count Nᵢⱼ times.
///
/// With `reversible`, y₁ = x₁ + Attention(x₂) and y₂ = x₂ + FeedForward(y₁), and the activations are
/// computed again in the backward pass (``ForwardContext/reversible(_:_:)``).
/// - Complexity: O(n·L·(c + √(L_max/c))·E) time, where L_max is the model's length and the root
///   stands for the hash; O(n·L + L·E) memory.
///
/// Source: Kitaev et al., "Reformer: The Efficient Transformer" (2020), arXiv 2001.04451, sections 2
/// and 3, and appendix A for Nᵢⱼ.
/// Differs: see ``about``.
struct Reformer: Mixer {
  static let about = VariantDescription(
    name: "reformer", paper: "Kitaev et al., Reformer: The Efficient Transformer", year: 2020,
    arXiv: "2001.04451", cost: .linearithmic,
    summary: "Softmax attention to tokens whose queries hash alike, in sorted chunks.",
    parts: [.heads, .droppedWeights],
    deviations: [
      "The number of buckets follows from the longest sequence there can be.",
      "The last chunk may be short; the paper's code pads.",
      "The two streams of reversible blocks are added in the end, not put side by side.",
      "Keys have length 1 and no further scale, as in the paper's code (trax); reformer-pytorch "
        + "divides by √D besides.",
      "The LRA code multiplies by √D, does not normalise keys, lets a token see itself and padding, "
        + "hashes with one fixed draw, has no output projection, and mixes up heads and positions.",
    ])

  struct Options: VariantOptions {
    @Knob("c, tokens of a chunk", 1...) var chunk = 64
    @Knob("n, rounds of hashing", 1...) var hashes = 4
    @Knob("buckets of a round, even; 0 means two for each chunk of the longest sequence", 0...)
    var buckets = 0
    @Knob("what products of queries and unit keys are multiplied by", above: 0) var scale = 1.0
    @Knob("whether a pair that meets in several rounds counts once, as in the paper")
    var countOnce = true
    @Knob("training steps between new rotations; 0 means never", 0...) var redraw = 1
    @Knob("whether activations are computed again instead of kept") var reversible = false

    var idle: [String: String] {
      hashes == 1 ? ["count-once": "no pair meets twice in one round"] : [:]
    }

    func validate(_ size: MixerSize) throws {
      guard !reversible || size.normalization == .layer else {
        throw UserError(
          .configuration,
          "model.reversible needs model.norm layer, not \(size.normalization.rawValue)",
          remedy: "use --set model.norm=layer, or --set model.reversible=false")
      }
      let isWhole =
        size.heads > 0 && (size.feedForward > 0 || size.whole.feedForward == 0)
      guard !reversible || isWhole else {
        throw UserError(
          .configuration,
          "model.reversible changes its streams in turns, so that no half of a block can be left out",
          remedy: "keep a head and an inner column of every block, or leave the whole block out")
      }
      guard buckets % 2 == 0 else {
        throw UserError(
          .configuration, "model.buckets is \(buckets), but must be even",
          remedy: "use \(buckets + 1), or 0 for two for each chunk")
      }
    }

    /// - Parameter length: of the longest sequence.
    func hash(_ length: Int) -> AngularHash {
      let wanted = buckets == 0 ? 2 * ((length + chunk - 1) / chunk) : buckets
      if wanted <= 128 { return AngularHash(rounds: hashes, factors: [wanted]) }
      let root = Int(Double(wanted).squareRoot()) / 2 * 2
      let other = (wanted + 2 * root - 1) / (2 * root) * 2
      return AngularHash(rounds: hashes, factors: [root, other])
    }
  }

  private let inputs: WeightMaps
  private let output: OutputProjection
  private let rotations: Parameter
  private let hash: AngularHash
  private let options: Options
  private let size: MixerSize
  private let attentionDropout: DropoutLayer

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    let (inside, outside) = (size.attentionWidth, size.width)
    inputs = WeightMaps(
      ["query", "value"].map {
        WeightMap(outside, inside, scope.scope($0), .xavierUniform)
      })
    output = OutputProjection(size, scope)
    hash = options.hash(size.length)
    rotations = scope.weight(
      "rotations", [size.heads * hash.rowCount, size.headWidth], .normal(1), group: .buffer)
    self.options = options
    self.size = size
    attentionDropout = DropoutLayer(size.attentionDropout, at: scope.place + ".weights")
  }

  static func feedForward(
    _ size: MixerSize, _ options: Options, _ scope: ParameterScope
  ) -> any PositionwiseLayer {
    options.reversible ? ReversibleFeedForward(size, scope) : FeedForward(size, scope)
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let rotations = context.redrawn(rotations, every: options.redraw)
    guard options.reversible else { return attend(x, rotations, context) }
    return context.reversible(x.residual) { rows in
      attend(x.map { _ in rows }, rotations, context)
    }
  }

  static func finish(_ rows: Tensor, _ context: ForwardContext) -> Tensor {
    context.joiningStreams(rows)
  }

  private func attend(
    _ x: BranchInput, _ rotations: Tensor, _ context: ForwardContext
  ) -> Tensor {
    let both = inputs(x)
    let (query, value) = (size.view(both, 0), size.view(both, 1))
    let patterns = hashedChunks(
      query, sequences: context.sequences, hash: hash, rows: rotations, chunk: options.chunk,
      countsOnce: options.countOnce)
    let key = size.view(unitRows(query))
    let attend = { (patterns: [AttentionPattern], dropout: Dropout) in
      patternAttention(
        query: query, key: key, value: value, sequences: context.sequences, patterns: patterns,
        scale: Float(options.scale), dropout: dropout, precision: context.precision)
    }
    let mixed = attend(patterns, attentionDropout(context))
    let probed = context.probed(mixed) {
      attend(context.sequences.patterns { [Self.others($0)] }, .none)
    }
    return output(x.residual, adding: probed, context)
  }

  /// Every token sees all others, itself only where it is alone.
  private static func others(_ length: Int) -> AttentionPattern {
    var pattern = AttentionPattern(length: length)
    let all = pattern.list(0..<length)
    pattern.connect(0..<length, to: [.init(all, rule: length > 1 ? .outside(0...0) : .all)])
    return pattern
  }
}
