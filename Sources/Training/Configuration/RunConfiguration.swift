// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import Runs
import Tasks

/// Every knob of a run, resolved: defaults, then the preset, then what the user set.
package struct RunConfiguration {
  /// Every key with its value and where it came from.
  package private(set) var settings: Settings
  /// The task, for the data.
  package let task: any ArenaTask
  /// The model.
  package let model: ModelConfiguration
  /// The training.
  package let training: TrainingSettings
  /// Where it starts, and may end early.
  package let start: StartSettings
  /// What it learns of a teacher.
  package let distillation: DistillationSettings
  /// Whether it learns from inputs alone.
  package let pretraining: PretrainingSettings
  /// Which weights it removes.
  package let pruning: PruningSettings
  /// Whether it is trained for bytes.
  package let quantisation: QuantisationSettings
  /// Whether it has exits.
  package let exits: ExitSettings
  /// The folder of all tasks' data.
  package let dataFolder: String
  /// The catalog's name of the task.
  package var taskName: String { type(of: task).name }

  /// What a user asks for on the command line.
  package struct Request: Sendable {
    /// The task's name.
    package var task: String
    /// The model's name.
    package var model: String
    /// The preset's name, nil for the task's first.
    package var preset: String?
    /// `key=value` and the flag it came from, applied in this order.
    package var assignments: [(text: String, origin: String)]
    /// A `config.json` applied before the assignments.
    package var configFile: String?
    /// Where data lives.
    package var dataFolder: String

    /// A request for a preset as it is.
    package init(task: String, model: String, preset: String? = nil, dataFolder: String) {
      self.task = task
      self.model = model
      self.preset = preset
      self.dataFolder = dataFolder
      assignments = []
    }
  }

  /// Resolves a request.
  ///
  /// - Throws: `UserError` for unknown names, keys and values, naming the nearest known ones.
  package init(_ request: Request) throws {
    let entry = try TaskCatalog.named(request.task)
    let variant = try VariantCatalog.named(request.model)
    let preset = try request.preset.map(entry.preset) ?? entry.presets[0]
    var settings = RunConfiguration.declared(entry, variant)
    try settings.set("task.name", .text(entry.name), origin: "--task")
    try settings.set("model.name", .text(variant.name), origin: "--model")
    try settings.set("run.preset", .text(preset.name), origin: "--preset")
    try settings.set("run.comparable", .boolean(preset.comparable), origin: "preset")
    for value in preset.values(for: variant.name) where settings.contains(value.key) {
      try settings.set(
        value.key, value.value, origin: "preset \(preset.name): \(value.source)")
    }
    try settings.set(
      "train.mask-share", .number(PretrainingSettings.maskShare(of: entry.name)),
      origin: "arXiv 2310.02980")
    for value in try entry.derived(request.dataFolder) {
      try settings.set(value.key, value.value, origin: value.source)
    }
    let planned = (try settings.integer("train.steps"), try settings.integer("train.warmup"))
    let published = settings
    if let file = request.configFile { try settings.apply(file) }
    for (text, origin) in request.assignments {
      try settings.set(assignment: text, origin: origin)
    }
    if try settings.choice("train.precision") == PrecisionChoice.auto {
      let (choice, reason) = PrecisionChoice.measured()
      try settings.set("train.precision", choice.setting, origin: reason)
    }
    try RunConfiguration.refuseNames(settings, entry, variant, preset)
    try RunConfiguration.scaleWarmup(&settings, planned: planned, preset: preset.name)
    try RunConfiguration.noteChanges(&settings, from: published)
    try self.init(settings, dataFolder: request.dataFolder)
    try refuseIdle(from: published, file: request.configFile)
  }

  /// Takes settings that were resolved before, from a run's `config.json`.
  ///
  /// - Throws: `UserError` naming the key that does not fit.
  package init(_ settings: Settings, dataFolder: String) throws {
    let settings = try RunConfiguration.completed(settings)
    let entry = try TaskCatalog.named(settings.text("task.name"))
    let task = try entry.make(TaskOptions(settings, of: entry, dataFolder: dataFolder))
    try self.init(settings, task: task, dataFolder: dataFolder)
    try pruning.validate()
    try model.validate()
    try refuseConflicts()
  }

  /// The model with freshly drawn weights.
  ///
  /// - Throws: `UserError` if its configuration is not valid.
  package func makeModel() throws -> Classifier {
    try Classifier(
      model, seed: training.seed, precision: training.operands, saved: training.saved.precision,
      recomputedBlocks: training.checkpoint, layerDrop: training.layerDrop,
      roundsToBytes: roundsToBytes)
  }

  /// The precision of the operands of linear maps.
  var operands: Precision {
    model.quantised == .int8 || roundsToBytes ? .int8 : training.operands
  }

  /// Whether it computes as a model of bytes though its weights are floats.
  private var roundsToBytes: Bool {
    quantisation.quantise == .int8 && model.quantised == .none
  }

  /// Checks that a batch of examples like the first ones fits into memory.
  ///
  /// - Throws: `UserError(.configuration)` when its embedded tokens alone do not.
  func checkMemory(_ train: any ExampleSource) throws {
    let sample = min(train.count, 64)
    let tokens = try (0..<sample).reduce(0) { sum, example in
      try (0..<task.towers).reduce(sum) { $0 + (try train.length(example, tower: $1)) }
    }
    let examples = Double(training.batch) / Double(training.cut.partCount)
    try model.checkMemory(batchTokens: Double(tokens) / Double(max(sample, 1)) * examples)
  }

  /// The file of a run folder, and of each of its checkpoints, that holds the settings.
  static let fileName = "config.json"

  /// Checks that a run goes on as it began.
  ///
  /// - Parameters:
  ///   - checkpoint: one that the run saved, which keeps the settings that it was trained with.
  ///   - folder: the run.
  /// - Throws: `UserError(.badData)` that names a setting with another value now.
  func check(against checkpoint: Checkpoint, _ folder: RunFolder) throws {
    let file = checkpoint.file(Self.fileName)
    // Older checkpoints keep none.
    guard FileSystem.exists(file) else { return }
    for (key, kept) in try Settings(file: file).entries.map({ ($0.key, $0.value) })
    where !kept.isSame(as: settings[key]) {
      throw UserError(
        .badData,
        "\(folder.file(Self.fileName)): \(key) is \(settings[key]?.description ?? "absent"), but "
          + "the run has been trained with \(kept)",
        remedy: "put it back (\(file) is as it was), or start another run with --config")
    }
  }

  /// Refuses what is chosen by the command itself, or noted by the run.
  private static func refuseNames(
    _ settings: Settings, _ task: TaskEntry, _ variant: VariantEntry, _ preset: Preset
  ) throws {
    let chosen: [(key: String, value: String, remedy: String)] = [
      ("task.name", task.name, "use --task"), ("model.name", variant.name, "use --model"),
    ]
    for (key, value, remedy) in chosen where try settings.text(key) != value {
      throw UserError(
        .configuration, "\(key) is \(try settings.text(key)), but the run is one of \(value)",
        remedy: remedy)
    }
    for entry in settings.entries
    where entry.origin.hasPrefix("--set")
      && ["run.", "compress."].contains(where: { entry.key.hasPrefix($0) })
    {
      throw UserError(
        .configuration, "\(entry.key) is noted by the run and cannot be set",
        remedy: entry.key == "run.preset" ? "use --preset" : "leave it out")
    }
  }

  /// Refuses values that were chosen though they have no effect.
  ///
  /// A file that another run has recorded holds defaults of all keys; these are not a choice.
  private func refuseIdle(from published: Settings, file: String?) throws {
    let defaults = try RunConfiguration.declared(
      TaskCatalog.named(taskName), VariantCatalog.named(model.name))
    for (key, reason) in try idle().sorted(by: { $0.key < $1.key }) {
      guard let entry = settings.entries.first(where: { $0.key == key }),
        entry.value != published[key],
        entry.origin != file || entry.value != defaults[key]
      else { continue }
      throw UserError(
        .configuration, "\(key)=\(entry.value) has no effect: \(reason)",
        remedy: "leave it out")
    }
  }

  /// The keys that have no effect beside the values of the others, each with the reason.
  private func idle() throws -> [String: String] {
    let variant = try VariantCatalog.named(model.name)
    let sections = [
      ("task", task.idle), ("model", try model.idle()), ("train", training.idle(variant)),
      ("train", distillation.idle), ("train", pretraining.idle),
      ("train", pruning.idle),
      ("train", quantisation.idle), ("train", exits.idle),
    ]
    return sections.reduce(into: [:]) { all, section in
      for (key, reason) in section.1 { all["\(section.0).\(key)"] = reason }
    }
  }

  /// Changes the number of steps, keeping the shape of the schedule.
  package mutating func fit(steps: Int, origin: String) throws {
    let published = settings
    let schedule = training.schedule.fitted(toSteps: steps)
    try settings.set(schedule, steps: steps, origin: origin)
    try RunConfiguration.noteChanges(&settings, from: published)
    self = try RunConfiguration(settings, task: task, dataFolder: dataFolder)
  }

  private init(_ settings: Settings, task: any ArenaTask, dataFolder: String) throws {
    self.settings = settings
    self.dataFolder = dataFolder
    self.task = task
    model = try RunConfiguration.model(settings, task)
    training = try TrainingSettings(settings)
    start = try StartSettings(settings)
    distillation = try DistillationSettings(settings)
    pretraining = try PretrainingSettings(settings)
    pruning = try PruningSettings(settings)
    quantisation = try QuantisationSettings(settings)
    exits = try ExitSettings(settings)
    try training.validate()
  }

  /// What may differ from a preset without being another protocol: the seed, how a batch is cut up, and
  /// when something is measured or kept.
  ///
  /// Where rows are normalised by the batch, shards are part of
  /// the protocol: each has statistics of its own.
  package static let free: Set = [
    "train.seed", "train.shards", "train.accumulation", "train.checkpoint", "train.eval-every",
    "train.checkpoint-every",
    "train.log-every",
  ]

  /// Notes which values are no longer those of a preset; a result then does not stand beside published
  /// ones.
  static func noteChanges(_ settings: inout Settings, from published: Settings) throws {
    let byBatch = try settings.text("model.norm") != Normalization.layer.rawValue
    let free = byBatch ? free.subtracting(["train.shards"]) : free
    let changed = settings.entries.filter {
      !$0.key.hasPrefix("run.") && !free.contains($0.key) && published[$0.key] != $0.value
    }.map(\.key)
    guard !changed.isEmpty else { return }
    let before = try settings.text("run.changed").split(separator: " ").map(String.init)
    let all = before + changed.filter { !before.contains($0) }
    try settings.set(
      "run.changed", .text(all.joined(separator: " ")), origin: "compared with the preset")
    try settings.set("run.comparable", .boolean(false), origin: "run.changed")
  }

  /// All keys with their defaults: those of every run, of the task and of the variant.
  private static func declared(_ entry: TaskEntry, _ variant: VariantEntry) -> Settings {
    var settings = Settings()
    let own = Set(variant.options.map(\.key))
    for declaration in SettingCatalog.ofEveryRun where !own.contains(declaration.key) {
      settings.declare(declaration)
    }
    for declaration in entry.settings {
      settings.declare(declaration, origin: "default of \(entry.name)")
    }
    for declaration in variant.options {
      settings.declare(declaration, origin: "default of \(variant.name)")
    }
    return settings
  }

  /// The settings of a run with the defaults of keys that did not exist when it began, and numbers as such
  /// where a file has them without a fraction.
  private static func completed(_ settings: Settings) throws -> Settings {
    var all = settings
    let known = try declared(
      TaskCatalog.named(settings.text("task.name")),
      VariantCatalog.named(settings.text("model.name")))
    for entry in known.entries {
      if all.contains(entry.key) {
        try all.takeKind(of: entry.value, for: entry.key)
      } else {
        all.declare(entry.key, entry.value, origin: entry.origin)
      }
    }
    return all
  }

  /// A change of the number of steps alone keeps the share of the warm-up.
  private static func scaleWarmup(
    _ settings: inout Settings, planned: (steps: Int, warmup: Int), preset: String
  ) throws {
    let steps = try settings.integer("train.steps")
    let untouched = settings.entries.contains {
      $0.key == "train.warmup" && ($0.origin.hasPrefix("preset") || $0.origin == "default")
    }
    // Other numbers of steps are refused later.
    let isPossible = (0...TrainingSettings.mostSteps).contains(steps)
    guard isPossible, steps != planned.steps, untouched, planned.steps > 0 else { return }
    let warmup = Int((Double(planned.warmup) * Double(steps) / Double(planned.steps)).rounded())
    try settings.set(
      "train.warmup", .integer(warmup),
      origin: "preset \(preset), scaled with train.steps from \(planned.warmup)")
  }

  private static func model(
    _ settings: Settings, _ task: any ArenaTask
  ) throws -> ModelConfiguration {
    var model = try ModelConfiguration(
      settings, length: task.length, vocabulary: task.vocabulary, classes: task.classes,
      towers: task.towers)
    model.exits = try ExitSettings(settings).exits != .none
    return model
  }
}

extension Settings {
  /// Sets the schedule of a number of steps.
  mutating func set(_ schedule: Schedule, steps: Int, origin: String) throws {
    try set("train.steps", .integer(steps), origin: origin)
    try set("train.warmup", .integer(schedule.warmup), origin: origin)
    try set("train.learning-rate", .number(schedule.base), origin: origin)
  }

  /// Sets keys from a `config.json`, or a run of a `runs.jsonl`.
  fileprivate mutating func apply(_ file: String) throws {
    for entry in try Settings(file: file).entries {
      if CompressionNotes.keys.contains(entry.key), !contains(entry.key) {
        declare(entry.key, entry.value, origin: entry.origin)
      }
      try set(entry.key, entry.value, origin: entry.origin)
    }
  }

  /// The settings in a run's `config.json`, or of a run of a `runs.jsonl`, as `runs.jsonl#NAME`.
  ///
  /// - Throws: `UserError` for a file that cannot be read or has another form.
  package init(file: String) throws {
    if let (runs, name) = RunFile.parts(of: file) {
      try self.init(RunFile(runs).entry(name).run.config, origin: file)
    } else {
      try self.init(json: Self.contents(file), origin: file)
    }
  }

  private static func contents(_ file: String) throws -> Data {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw UserError(
        .missingInput, "\(file): cannot be read", remedy: "check the name after --config")
    }
    return data
  }
}
