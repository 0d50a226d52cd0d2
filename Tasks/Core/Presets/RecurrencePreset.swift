// SPDX-License-Identifier: Apache-2.0

import Base

/// What the models that read a sequence in its order, `lru` and `s4d`, change in the presets: their
/// blocks have no feed-forward network, nothing tells positions, and their rates are higher.
enum RecurrencePreset {
  private static let lruPaper = "Orvieto et al. (2023), arXiv 2303.06349, appendix"
  private static let lruCode = "NicolasZucchet/minimal-LRU @bbd71b1"
  private static let s4Code = "state-spaces/s4 @62a14bb"

  // MARK: The published settings

  /// The sizes that the LRU paper gives for a task; six layers everywhere.
  struct LRUSizes {
    /// E.
    var width: Int
    /// Complex states of a layer.
    var states: Int
    /// The first moduli of the poles.
    var ring: (low: Double, high: Double)
    var steps: Int
    var batch: Int
    /// The poles' share of the learning rate.
    var factor: Double
    var dropout: Double
    /// How tokens enter.
    var input: PresetValue
    var bidirectional = false
    /// The largest first angle of the poles, in radians.
    var phase = 2 * Double.pi
  }

  static func lru(_ sizes: LRUSizes) -> [PresetValue] {
    common(source: lruPaper, steps: sizes.steps, batch: sizes.batch, dropout: sizes.dropout) + [
      .init("model.width", .integer(sizes.width), source: lruPaper),
      .init("model.states", .integer(sizes.states), source: lruPaper),
      .init("model.r-min", .number(sizes.ring.low), source: lruPaper),
      .init("model.r-max", .number(sizes.ring.high), source: lruPaper),
      .init("model.max-phase", .number(sizes.phase), source: lruPaper),
      .init(
        "model.bidirectional", .boolean(sizes.bidirectional),
        source: "\(lruPaper): only for Pathfinder and Path-X"),
      sizes.input,
      .init(
        "train.learning-rate", 1e-3, source: "\(lruCode), run_train.py; the paper searches it"),
      .init("train.recurrence-rate", .number(sizes.factor), source: lruPaper),
      .init("train.epsilon", 1e-8, source: "\(lruCode): the default of optax"),
      .init("train.select", "best", source: "\(lruCode), lru/train.py: the best on validation"),
    ]
  }

  /// 1/√V: the known code has a linear map of one-hot tokens.
  static func oneHot(_ vocabulary: Int) -> PresetValue {
    .init(
      "model.embedding-deviation", .number(1 / Double(vocabulary).squareRoot()),
      source: "\(lruCode), lru/model.py: 1/√V, a linear map of one-hot tokens")
  }

  /// A linear map of the grey value.
  static let pixels = PresetValue(
    "model.input", "numbers", source: "\(lruCode) and \(s4Code): a linear map of the grey value")

  /// The sizes that the S4 repository gives for a task; six layers everywhere.
  struct S4DSizes {
    /// The configuration in `configs/experiment/lra`.
    var file: String
    /// E.
    var width: Int
    /// N.
    var states: Int
    var steps: Int
    var batch: Int
    var dropout: Double
    /// How tokens enter.
    var input = embedded
    var rate = 0.01
    /// `batch`, or `batch-after` where the repository has `prenorm: false`.
    var norm = "batch"
    /// Whether all channels have the same poles.
    var shared = true
    /// The smallest first time step.
    var smallestStep = 0.001
  }

  private static let embedded = PresetValue(
    "model.embedding-deviation", .number(1), source: "\(s4Code): PyTorch's Embedding")

  static func s4d(_ sizes: S4DSizes) -> [PresetValue] {
    let source = "\(s4Code), configs/experiment/lra/\(sizes.file).yaml, with diagonal kernels"
    let places = common(
      source: source, norm: sizes.norm, steps: sizes.steps, batch: sizes.batch,
      dropout: sizes.dropout)
    return places + [
      .init("model.width", .integer(sizes.width), source: source),
      .init("model.states", .integer(sizes.states), source: source),
      .init("model.initial", "legs", source: source),
      .init(
        "model.shared", .boolean(sizes.shared),
        source: "\(source): n_ssm \(sizes.shared ? "1" : "as many as channels")"),
      .init("model.bidirectional", true, source: source),
      .init("model.dt-min", .number(sizes.smallestStep), source: source),
      .init("model.dt-max", 0.1, source: source),
      sizes.input,
      .init("train.learning-rate", .number(sizes.rate), source: source),
      .init(
        "train.recurrence-rate", .number(0.001 / sizes.rate),
        source: "\(source): 0.001 for A; time steps, which have a rate of their own there, follow"
      ),
      .init("train.epsilon", 1e-8, source: "\(s4Code): the default of PyTorch"),
      .init("train.select", "best", source: "\(s4Code): the best on validation"),
    ]
  }

  /// What both publications agree on.
  private static func common(
    source: String, norm: String = "batch", steps: Int, batch: Int, dropout: Double
  ) -> [PresetValue] {
    [
      .init("model.layers", 6, source: source),
      .init("model.feed-forward", 0, source: "\(source): blocks end with a gated linear unit"),
      .init("model.norm", .text(norm), source: source),
      .init("model.positions", "none", source: source),
      .init("model.pooling", "mean", source: source),
      .init("model.dropout", .number(dropout), source: source),
      .init("model.head-hidden", 0, source: "\(source): the classifier is one linear map"),
      .init("train.steps", .integer(steps), source: source),
      .init("train.warmup", .integer(steps / 10), source: "\(source): a tenth of the steps"),
      .init("train.batch", .integer(batch), source: source),
      .init("train.accumulation", 1, source: "\(source): statistics of the whole batch"),
      .init("train.schedule", "cosine", source: source),
      .init("train.weight-decay", 0.05, source: source),
      .init(
        "train.decay-vectors", true, source: "\(source): all weights outside the recurrence decay"),
      .init("train.beta2", 0.999, source: "\(source): the default"),
      .init(
        "train.eval-every", 1000,
        source: "ours: an evaluation costs as much as twenty training steps"),
      .init("train.checkpoint-every", 1000, source: "ours: with each evaluation"),
    ]
  }

  // MARK: Our small settings

  /// Two layers of width 64 and the budget of every other model, for all tasks.
  static let small: [String: [PresetValue]] = [
    "lru": smallModel + [
      ours("model.states", 96, "as many weights as a block of the transformer"),
      ours("train.learning-rate", 4e-3, "learns faster than 1e-3 in \(trial)"),
      ours("train.recurrence-rate", 0.5, "published for ListOps"),
    ],
    "s4d": smallModel + [
      ours("model.states", 16, "between the 4 published for ListOps and Text and the paper's 64"),
      ours("train.learning-rate", 0.01, "as published; learns faster than 4e-3 in \(trial)"),
      ours("train.recurrence-rate", 0.1, "0.001 for poles, as published"),
    ],
  ]

  private static let trial = "500 steps on ListOps expressions of up to 120 tokens"

  private static let smallModel: [PresetValue] = [
    ours("model.feed-forward", 0, "blocks end with a gated linear unit, as published"),
    ours("model.positions", "none", "a recurrence reads tokens in their order, as published"),
    ours("model.dropout", .number(0), "as published for ListOps"),
    ours("model.embedding-deviation", 0.24, "as in the paper preset of lru for ListOps"),
  ]

  private static func ours(_ key: String, _ value: Setting, _ reason: String) -> PresetValue {
    PresetValue(key, value, source: "ours: \(reason)")
  }
}
