import Base
import Foundation

/// How a sequence of rows becomes one.
public enum Pooling: String, Codable, Sendable, CaseIterable {
  /// The mean over the real tokens.
  case mean
  /// The row of a learned class token put in front of the sequence.
  case cls
}

/// Everything needed to build a model again: what a checkpoint's `config.json` holds under `model`.
public struct ModelConfiguration: Codable, Sendable, Equatable {
  /// The variant, as the catalog names it.
  public var name: String
  /// Blocks.
  public var layers: Int
  /// E.
  public var width: Int
  /// H.
  public var heads: Int
  /// D; 0 means E / H.
  public var headWidth: Int
  /// F; 0 leaves the feed-forward networks out, and with them the hidden layer of the classifier.
  public var feedForward: Int
  /// What a token number becomes.
  public var input: TokenInput
  /// How the rows of a block are normalised.
  public var normalization: Normalization
  /// How positions are told.
  public var positions: PositionalEncoding
  /// How rows become one.
  public var pooling: Pooling
  /// The probability of dropping an activation, in training.
  public var dropout: Double
  /// The probability of dropping an attention weight, in training.
  public var attentionDropout: Double
  /// The width between the two linear maps of the classifier; 0 means F.
  ///
  /// Where F is 0 too, the classifier is a single linear map.
  public var headHidden: Int
  /// The standard deviation of the first token embeddings.
  public var embeddingDeviation: Double
  /// The longest sequence, in tokens.
  public var length: Int
  /// V, including padding, which no model ever sees.
  public var vocabulary: Int
  /// C.
  public var classes: Int
  /// Sequences that are classified together, all through the same encoder: 1, or 2 for pairs.
  public var towers: Int
  /// The variant's own settings by key.
  public var options: [String: Setting]

  enum CodingKeys: String, CodingKey {
    case name, layers, width, heads, positions, pooling, dropout, length, vocabulary, classes
    case towers, options, input
    case normalization = "norm"
    case headWidth = "head-width"
    case feedForward = "feed-forward"
    case attentionDropout = "attention-dropout"
    case headHidden = "head-hidden"
    case embeddingDeviation = "embedding-deviation"
  }

  /// A model of the given size; everything else at its default.
  public init(
    name: String, layers: Int, width: Int, heads: Int, feedForward: Int, length: Int,
    vocabulary: Int, classes: Int
  ) {
    self.name = name
    self.layers = layers
    self.width = width
    self.heads = heads
    headWidth = 0
    self.feedForward = feedForward
    input = .tokens
    normalization = .layer
    positions = .learned
    pooling = .mean
    dropout = 0.1
    attentionDropout = 0.1
    headHidden = 0
    embeddingDeviation = 1
    self.length = length
    self.vocabulary = vocabulary
    self.classes = classes
    towers = 1
    options = [:]
  }

  /// The columns that the classifier sees: a row, or what ``pairFeatures(_:)`` makes of two.
  var featureWidth: Int { towers == 2 ? 4 * width : width }

  /// The length with the class token.
  var positionCount: Int { length + (pooling == .cls ? 1 : 0) }

  var mixerSize: MixerSize {
    MixerSize(
      width: width, feedForward: feedForward, heads: heads,
      headWidth: headWidth == 0 ? width / heads : headWidth, length: positionCount,
      normalization: normalization, layers: layers, dropout: dropout,
      attentionDropout: attentionDropout)
  }

  /// The greatest value of each size: far beyond what any machine holds, and small enough that no
  /// product of them overflows.
  private var sizes: [(key: String, value: Int, range: ClosedRange<Int>)] {
    [
      ("model.layers", layers, 1...1 << 10), ("model.width", width, 1...1 << 16),
      ("model.heads", heads, 1...1 << 12), ("model.head-width", headWidth, 0...1 << 16),
      ("model.feed-forward", feedForward, 0...1 << 20),
      ("model.head-hidden", headHidden, 0...1 << 20), ("task.length", length, 1...1 << 22),
      ("the number of tokens", vocabulary, 1...1 << 22),
      ("the number of classes", classes, 1...1 << 16),
    ]
  }

  /// The keys of `model` that have no effect beside the values of the others, each with the reason.
  public func idle() throws -> [String: String] {
    var reasons = try VariantCatalog.named(name).idle(self)
    if input == .numbers {
      reasons["embedding-deviation"] = "with model.input numbers no row of a token is drawn"
    }
    return reasons
  }

  /// Checks every value, so that building the model cannot fail.
  ///
  /// - Throws: `UserError` naming the key and what it must be.
  public func validate() throws {
    for (key, value, range) in sizes { try checkRange(key, value, range) }
    for (key, value) in options.sorted(by: { $0.key < $1.key }) {
      if case .integer(let count) = value {
        try checkRange("model.\(key)", count, -(1 << 22)...1 << 22)
      }
    }
    try checkMemory(floats: Double(positionCount) * Double(width), "the positions")
    guard (1...2).contains(towers) else {
      throw UserError(
        .configuration, "a model takes 1 sequence or 2 together, not \(towers)",
        remedy: "let the task have as many towers")
    }
    guard headWidth > 0 || width % heads == 0 else {
      throw UserError(
        .configuration, "model.width \(width) is not a multiple of model.heads \(heads)",
        remedy: "change one of them, or set model.head-width")
    }
    for (key, rate) in [("model.dropout", dropout), ("model.attention-dropout", attentionDropout)]
    where !(0..<1).contains(rate) {
      throw UserError(
        .configuration, "\(key) is \(rate), but must lie in 0 ..< 1",
        remedy: "use 0 to switch it off")
    }
    guard normalization == .layer || feedForward == 0 else {
      throw UserError(
        .configuration,
        "model.norm is \(normalization.rawValue), but model.feed-forward is \(feedForward)",
        remedy: "feed-forward networks normalise by rows: set model.feed-forward to 0, or "
          + "model.norm to layer")
    }
    try VariantCatalog.named(name).validate(self)
  }
}

extension ModelConfiguration {
  /// Checks that the rows of a batch fit into memory, before any are made.
  ///
  /// - Parameter tokens: of all sequences of a batch together, as far as is known.
  /// - Throws: `UserError` when they cannot.
  public func checkMemory(batchTokens tokens: Double) throws {
    try checkMemory(floats: tokens * Double(width), "the embedded tokens of one batch")
  }

  /// Checks that so many numbers fit into the machine's memory.
  func checkMemory(floats: Double, _ what: String) throws {
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    guard floats * 4 > memory else { return }
    let gibibytes = { String(format: "%.0f GiB", $0 / 0x1p30) }
    throw UserError(
      .configuration,
      "\(what) would take \(gibibytes(floats * 4)), and this machine has \(gibibytes(memory))",
      remedy: "make the batch, the length or the model smaller")
  }
}
