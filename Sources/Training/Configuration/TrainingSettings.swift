import Base
import Models
import Runs

/// The knobs of the training loop and the optimizer, section `train` of a configuration.
public struct TrainingSettings: Sendable, Equatable {
  /// Optimizer steps of the whole run.
  public let steps: Int
  /// Examples a step.
  public let batch: Int
  /// Parts a batch is cut into, to save memory; the sum of their gradients is the whole's.
  public let accumulation: Int
  /// The learning rate of every step.
  public let schedule: Schedule
  /// Adam's β₁, where the schedule does not set it.
  public let beta1: Double
  /// The optimizer's other settings.
  public let optimizer: AdamW.Settings
  /// Steps between evaluations on the validation split.
  public let evalEvery: Int
  /// Steps between checkpoints, beside those at evaluations.
  public let checkpointEvery: Int
  /// Steps between records of metrics.
  public let logEvery: Int
  /// What weights, data order and dropout are drawn from.
  public let seed: UInt64
  /// Which checkpoint's test accuracy is the run's result.
  public let select: CheckpointChoice

  /// No run has as many; products with the batch stay far from overflow.
  static let mostSteps = 1 << 40
  /// Examples of the largest batch.
  static let largestBatch = 1 << 20

  static let defaults: [(String, Setting)] = [
    ("train.steps", 1000), ("train.batch", 32), ("train.accumulation", 1),
    ("train.learning-rate", 1e-4), ("train.schedule", "constant"), ("train.warmup", 0),
    ("train.weight-decay", .number(0)), ("train.decay-vectors", false), ("train.beta1", 0.9),
    ("train.beta2", 0.999), ("train.epsilon", 1e-8), ("train.clip", .number(0)),
    ("train.recurrence-rate", .number(1)),
    ("train.eval-every", 250), ("train.checkpoint-every", 250), ("train.log-every", 10),
    ("train.seed", 0), ("train.select", "best"),
  ]

  init(_ settings: Settings) throws {
    steps = try settings.integer("train.steps")
    batch = try settings.integer("train.batch")
    accumulation = try settings.integer("train.accumulation")
    schedule = try TrainingSettings.schedule(settings, steps: steps)
    beta1 = try settings.number("train.beta1")
    optimizer = AdamW.Settings(
      weightDecay: try settings.number("train.weight-decay"),
      decayVectors: try settings.boolean("train.decay-vectors"),
      beta2: try settings.number("train.beta2"), epsilon: try settings.number("train.epsilon"),
      clip: try settings.number("train.clip"),
      recurrenceRate: try settings.number("train.recurrence-rate"))
    evalEvery = try settings.integer("train.eval-every")
    checkpointEvery = try settings.integer("train.checkpoint-every")
    logEvery = try settings.integer("train.log-every")
    seed = UInt64(bitPattern: Int64(try settings.integer("train.seed")))
    select = try settings.choice("train.select")
    try validate()
  }

  private static func schedule(_ settings: Settings, steps: Int) throws -> Schedule {
    let base = try settings.number("train.learning-rate")
    let warmup = try settings.integer("train.warmup")
    try checkRange("train.steps", steps, 0...mostSteps)
    try checkRange("train.warmup", warmup, 0...mostSteps)
    if base <= 0 { try reject("learning-rate", base, "above 0") }
    let kind: Schedule.Kind = try settings.choice("train.schedule")
    // Shapes that do not know the end may stop while they rise, as the LRA's retrieval does.
    let hasEnd = kind == .cosine || kind == .oneCycle
    if hasEnd && warmup > max(steps, 1) {
      try reject("warmup", warmup, "between 0 and train.steps, \(steps)")
    }
    return Schedule(kind: kind, base: base, warmup: warmup, steps: max(steps, 1))
  }

  /// Checks what the fields' types leave open.
  ///
  /// - Throws: `UserError(.configuration)` naming the key and what it must be.
  private func validate() throws {
    for (key, value, most) in [
      ("batch", batch, TrainingSettings.largestBatch),
      ("accumulation", accumulation, TrainingSettings.largestBatch),
      ("eval-every", evalEvery, TrainingSettings.mostSteps),
      ("checkpoint-every", checkpointEvery, TrainingSettings.mostSteps),
      ("log-every", logEvery, TrainingSettings.mostSteps),
    ] { try checkRange("train.\(key)", value, 1...most) }
    if accumulation > batch {
      try TrainingSettings.reject("accumulation", accumulation, "at most train.batch, \(batch)")
    }
    for (key, value) in [("beta1", beta1), ("beta2", optimizer.beta2)]
    where !(0..<1).contains(value) { try TrainingSettings.reject(key, value, "in 0 ..< 1") }
    for (key, value) in [
      ("weight-decay", optimizer.weightDecay), ("clip", optimizer.clip),
      ("epsilon", optimizer.epsilon), ("recurrence-rate", optimizer.recurrenceRate),
    ] where value < 0 { try TrainingSettings.reject(key, value, "at least 0") }
  }

  /// The keys of `train` that have no effect beside the values of the others, each with the reason.
  ///
  /// - Parameter model: what is trained.
  func idle(_ model: VariantEntry) -> [String: String] {
    var reasons: [String: String] = [:]
    if schedule.beta1(atStep: 1) != nil {
      reasons["beta1"] = "the schedule one-cycle moves it between 0.95 and 0.85"
    }
    if optimizer.weightDecay == 0 {
      reasons["decay-vectors"] = "train.weight-decay is 0, so nothing decays"
    }
    if !model.about.parts.contains(.recurrence) {
      reasons["recurrence-rate"] = "\(model.name) has no recurrence"
    }
    return reasons
  }

  private static func reject(_ key: String, _ value: Any, _ rule: String) throws {
    throw UserError(
      .configuration, "train.\(key) is \(value), but must be \(rule)",
      remedy: "change it with --set train.\(key)=...")
  }
}
