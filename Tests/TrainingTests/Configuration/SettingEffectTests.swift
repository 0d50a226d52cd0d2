// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Tasks
import TestSupport
import Testing
import Training

/// Every declared setting, for every model and beside other settings: a changed value changes what
/// two steps of training make of the weights, or is refused.
@Suite("Settings and their effect")
struct SettingEffectTests {
  /// A model, and the settings beside which all others are changed.
  struct Context: Sendable, CustomTestStringConvertible {
    let model: String
    var settings: [String] = []
    var testDescription: String { ([model] + settings).joined(separator: " ") }
  }

  static let contexts =
    VariantCatalog.all.map { Context(model: $0.name) } + [
      .init(model: "synthesizer", settings: ["model.kind=factorised-random"]),
      .init(model: "synthesizer", settings: ["model.kind=random", "model.mixture=true"]),
      .init(model: "sparse", settings: ["model.pattern=strided", "model.summary=8"]),
      .init(model: "lowrank", settings: ["model.rank=3"]),
      .init(model: "performer", settings: ["model.kernel=relu"]),
      .init(model: "bigbird", settings: ["model.random=0"]),
      .init(model: "reformer", settings: ["model.hashes=1", "model.redraw=0"]),
      .init(model: "transformer", settings: ["model.input=numbers", "train.schedule=one-cycle"]),
      .init(model: "transformer", settings: ["model.tie-layers=all"]),
      .init(model: "lru", settings: ["train.weight-decay=0.1", "model.norm=batch"]),
    ]

  /// Values to change texts to; numbers are scaled, whole numbers grow, and truth is turned over.
  private static let texts: [String: Setting] = [
    "model.input": "numbers", "model.norm": "batch", "model.positions": "fixed",
    "model.pooling": "cls", "train.schedule": "rsqrt", "model.kind": "factorised-dense",
    "model.pattern": "strided", "model.combine": "split", "model.start": "svd",
    "model.kernel": "relu", "model.norms": "sqrt-d", "model.sharing": "layerwise",
    "model.initial": "lin", "model.kept-layers": "1", "model.kept-heads": "0/0,1",
    "model.inner-widths": "3,5", "model.ranks": "blocks.0.feed-forward.inner=2",
    "model.quantised": "int8", "train.quantise": "int8", "train.exits": "mixed",
    "model.tie-layers": "all",
  ]

  /// What says when a run ends, when something is measured or kept, how a batch is cut up, or what is
  /// computed again; and the names of things.
  private static let stated: Set = [
    "train.steps", "train.accumulation", "train.checkpoint", "train.eval-every",
    "train.checkpoint-every", "train.log-every",
    "train.select", "train.patience", "train.pretrain-epochs", "train.layer-drop",
    "train.exit-confidence", "task.name",
    "model.name", "run.preset", "run.comparable",
    "run.changed",
  ]

  @Test("A changed value changes the weights, or is refused", arguments: contexts)
  func effect(context: Context) throws {
    try withTemporaryFolder { folder in
      let base = try resolve(context, folder)
      let expected = try weights(base)
      for entry in base.settings.entries
      where !Self.stated.contains(entry.key) && !entry.key.hasPrefix("task.") {
        #expect(
          try hasEffect(entry, beside: context, expected, folder),
          "\(entry.key) is taken and changes nothing")
      }
    }
  }

  @Test("What says when or how is kept in the settings; names and notes are refused")
  func statedEffects() throws {
    let context = Context(model: "transformer")
    let base = try resolve(context, "data").training
    for change in [
      "steps=21", "accumulation=2", "checkpoint=1", "eval-every=2", "checkpoint-every=2",
      "log-every=2",
    ] {
      #expect(try resolve(context, "data", "train.\(change)").training != base)
    }
    #expect(try resolve(context, "data", "train.select=last").training != base)
    #expect(try resolve(context, "data", "train.patience=2").start.patience == 2)
    #expect(try resolve(context, "data", "train.pretrain-epochs=2").pretraining.ofInputs == .masked)
    #expect(try resolve(context, "data", "train.layer-drop=0.2").training != base)
    for change in [
      "task.name=text", "model.name=fnet", "run.preset=paper", "run.comparable=true",
      "run.changed=nothing",
    ] {
      #expect(throws: UserError.self) { try resolve(context, "data", change) }
    }
  }

  @Test("Settings of tasks change the data, or are refused")
  func tasks() throws {
    try withTemporaryFolder { folder in
      let hash = { (changes: String...) in
        let configuration = try resolve(Context(model: "transformer", settings: changes), folder)
        return try configuration.task.contentHash()
      }
      let plain = try hash()
      for change in ["length=80", "train-count=41", "val-count=9", "test-count=9", "seed=1"] {
        #expect(try hash("task.\(change)") != plain, "\(change)")
      }
    }
    for (task, key) in [("image", "task.seed"), ("retrieval", "task.seed")] {
      var request = RunConfiguration.Request(task: task, model: "transformer", dataFolder: "data")
      request.assignments = [("\(key)=1", "--set")]
      #expect(throws: UserError.self) { _ = try RunConfiguration(request) }
    }
  }

  @Test("The defaults that a run has recorded are no choice")
  func recorded() throws {
    try withTemporaryFolder { folder in
      let configuration = try resolve(Context(model: "s4d"), folder)
      let file = "\(folder)/config.json"
      try configuration.settings.json().write(to: URL(fileURLWithPath: file))
      var request = RunConfiguration.Request(task: "listops", model: "s4d", dataFolder: folder)
      request.configFile = file
      #expect(try RunConfiguration(request).model == configuration.model)
      request.assignments = [("model.attention-dropout=0.3", "--set")]
      #expect(throws: UserError.self) { _ = try RunConfiguration(request) }
    }
  }

  /// Whether one of some values changes the weights, or all are refused.
  private func hasEffect(
    _ entry: Settings.Entry, beside context: Context, _ expected: [Float], _ folder: String
  ) throws -> Bool {
    var taken = false
    for value in Self.values(entry) where value != entry.value {
      do {
        let changed = try resolve(context, folder, "\(entry.key)=\(value)")
        if try weights(changed) != expected { return true }
        taken = true
      } catch is UserError {
        continue
      }
    }
    return !taken
  }

  /// Values to try in turn.
  private static func values(_ entry: Settings.Entry) -> [Setting] {
    switch entry.value {
    case .boolean(let value): [.boolean(!value)]
    case .integer(let value): [value + 1, value + 2, 2 * value, 1].map(Setting.integer)
    case .number(let value): [value + 0.01, value * 0.5, value * 2].map(Setting.number)
    case .text: texts[entry.key].map { [$0] } ?? []
    }
  }

  private func resolve(
    _ context: Context, _ folder: String, _ change: String? = nil
  ) throws -> RunConfiguration {
    var request = RunConfiguration.Request(
      task: "listops", model: context.model, dataFolder: "\(folder)/data")
    let own = try VariantCase.of(VariantCatalog.named(context.model)).options.map {
      "model.\($0)=\($1)"
    }
    let small = [
      "task.length=40", "task.train-count=40", "task.val-count=8", "task.test-count=8",
      "model.width=16", "model.heads=2", "model.dropout=0.1", "train.batch=4", "train.steps=20",
      "train.warmup=2", "train.learning-rate=1e-2", "train.schedule=constant", "train.clip=0.5",
    ]
    let all = (small + own + context.settings).filter { line in
      change.map { !line.hasPrefix($0.prefix { $0 != "=" } + "=") } ?? true
    }
    request.assignments = (all + [change].compactMap { $0 }).map { ($0, "--set") }
    return try RunConfiguration(request)
  }

  /// The weights after two steps.
  private func weights(_ configuration: RunConfiguration) throws -> [Float] {
    let trainer = try makeTrainer(configuration)
    for step in 1...2 { _ = try trainer.step(step, tinyBatch(configuration, step: step)) }
    return trainer.model.parameters.all.flatMap {
      trainer.model.parameters.values.values($0.range)
    }
  }
}
