// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Runs
import Tasks

/// Makes a smaller model of a trained one.
package struct Compression {
  /// The run that is compressed.
  package let run: String
  /// What it was read from.
  package let source: SavedModel
  /// Structured pruning; empty for none.
  package var pruning = Pruning()
  /// Narrow maps; nil for none.
  package var factorising: Factorising?
  /// What becomes bytes; nil for nothing.
  package var quantisation: Quantisation?
  /// How sure examples leave by exits; nil for what the run had.
  package var exits: ExitRule?
  /// How many training examples something is measured on.
  package var calibration = 256

  private let notes: CompressionNotes?

  /// Opens a run to be compressed.
  ///
  /// - Throws: `UserError` for a run that is going on, is damaged, or is none.
  package init(_ run: String, choice: CheckpointChoice?, dataFolder: String) throws {
    let folder = try RunFolder.open(run)
    guard !folder.isInUse else {
      throw UserError(
        .unavailable, "\(run): the run is still going on, and its weights change",
        remedy: "wait for its end, or stop it")
    }
    let settings = try folder.settings()
    let select: CheckpointChoice? = try? settings.choice("train.select")
    let source = try SavedModel(run, choice: choice ?? select ?? .best, dataFolder: dataFolder)
    if let message = source.message {
      throw UserError(
        .badData, "\(run): \(message)",
        remedy: "restore the checkpoint from a copy, or choose the other one with --checkpoint")
    }
    self.run = run
    self.source = source
    notes = try CompressionNotes(of: settings)
  }

  /// The methods that are asked for, in their order.
  package var methods: [CompressionMethod] {
    (pruning.isEmpty ? [] : [.prune]) + (factorising == nil ? [] : [.factorise])
      + (quantisation == nil ? [] : [.quantise]) + (exits == nil ? [] : [.exits])
  }

  /// What came out.
  package struct Outcome {
    /// The smaller model.
    package let model: Classifier
    /// What became of each map; empty where none was factorised.
    package let choices: [Factorising.Choice]
    /// How it was made.
    package let notes: CompressionNotes
    /// With what confidence examples leave by exits; nil for what the run had.
    let exitConfidence: Double?
  }

  /// The data that something is measured on; nil where nothing is.
  ///
  /// - Parameter always: measures for people, too.
  package func examples(always: Bool = false) throws -> Calibration? {
    let measures = pruning.heads != nil || pruning.hidden != nil
    guard always || measures || factorising?.isDataAware == true else { return nil }
    return try Calibration(
      source.configuration.task, count: calibration,
      batch: source.configuration.training.batch)
  }

  /// Checks what is asked for before anything is measured.
  ///
  /// - Throws: `UserError` where it does not apply to this model, or does not go with what was done to it.
  package func check() throws {
    for method in methods { try method.check(after: notes, run: run) }
    try checkTraining()
    try Self.check(source.model, pruning, factorising, quantisation)
  }

  /// Checks that methods apply to a model, trained or not.
  ///
  /// - Throws: `UserError` where one does not.
  package static func check(
    _ model: Classifier, _ pruning: Pruning, _ factorising: Factorising?,
    _ quantisation: Quantisation?
  ) throws {
    if !pruning.isEmpty { try pruning.check(model, model.prunableUnits()) }
    if factorising != nil { try Factorising.check(model) }
    if let quantisation { _ = try model.quantised(quantisation) }
  }

  /// Checks that the methods go with how the source was trained.
  private func checkTraining() throws {
    let settings = source.configuration.settings
    if source.configuration.pretraining.isPretraining {
      throw UserError(
        .usage, "\(run) was trained without labels, so nothing can be measured on its answers",
        remedy: "train a model from it first: --set train.initial=\(shellQuoted(run))")
    }
    if source.configuration.quantisation.quantise != .none, !pruning.isEmpty || factorising != nil {
      throw UserError(
        .usage,
        "\(run) was trained for bytes (train.quantise=int8): other parts would need other bytes",
        remedy: "use --quantise int8 alone, or begin with a run without train.quantise")
    }
    if exits != nil, !source.configuration.model.exits {
      throw UserError(
        .usage, "--exits: the model of \(run) has no exits",
        remedy: "train a run with them from it: --set train.initial=\(shellQuoted(run)) --set "
          + "train.exits=mixed")
    }
    if source.configuration.model.exits, !pruning.isEmpty {
      throw UserError(
        .usage,
        "\(run) has exits (train.exits), which have learned from these blocks: what is pruned is pruned before",
        remedy: "prune the run that it started from, and train exits with the smaller model")
    }
    let sparse = try settings.text("train.prune")
    if sparse != "none", !pruning.isEmpty || factorising != nil {
      throw UserError(
        .usage,
        "\(run) was pruned while it was trained (train.prune=\(sparse)): factors and parts of sparse "
          + "maps are dense again",
        remedy: "use --quantise alone, or begin with a run without train.prune")
    }
  }

  /// Compresses.
  ///
  /// - Throws: `UserError` where nothing would be saved.
  package func outcome() throws -> Outcome {
    try check()
    let examples = try examples()
    var model = source.model
    var choices: [Factorising.Choice] = []
    if !pruning.isEmpty {
      model =
        try examples.map { try pruning.prune(model, $0) }
        ?? model.pruned(masks: [:], droppingLayers: Set(pruning.layers))
    }
    if let factorising {
      (model, choices) = try factorising.factorise(
        model, factorising.isDataAware ? examples : nil)
    }
    if let quantisation { model = try model.quantised(quantisation) }
    let chosen = try exits.map { try leaving(model, by: $0) }
    return Outcome(
      model: model, choices: choices, notes: try notes(of: examples, chosen?.numbers),
      exitConfidence: chosen?.confidence)
  }

  private func leaving(
    _ model: Classifier, by rule: ExitRule
  ) throws -> (confidence: Double, numbers: String) {
    let chosen = try rule.chosen(
      for: model, of: source.configuration, shouldStop: { Interrupts.stopRequested })
    if let chosen { return chosen }
    throw UserError(
      .stoppedEarly, Interrupts.stopText ?? "stopped on request; nothing is kept",
      remedy: "type the same command again")
  }

  private func notes(of examples: Calibration?, _ exits: String?) throws -> CompressionNotes {
    var result = CompressionNotes()
    result.source = run
    result.sourceHash = try SHA256.hexadecimal(of: readFile(source.file))
    let before = notes.map { ([$0.method], [$0.numbers]) } ?? ([], [])
    result.method = (before.0 + methods.map(\.rawValue)).joined(separator: "+")
    let numbers =
      (pruning.isEmpty ? [] : [pruning.numbers]) + (factorising.map { [$0.numbers] } ?? [])
      + (quantisation.map { ["quantise \($0.rawValue)"] } ?? []) + (exits.map { [$0] } ?? [])
    result.numbers = (before.1 + numbers).joined(separator: "; ")
    if let examples {
      (result.calibration, result.count) = (Split.train.rawValue, examples.count)
    }
    return result
  }

  /// Makes the folder of a run whose first checkpoint is the compressed model, not trained yet.
  ///
  /// - Parameters:
  ///   - path: the folder; nil for one beside the source.
  ///   - steps: training steps that are to follow.
  ///   - assignments: `train.key=value` for these.
  /// - Returns: the folder, locked, and the run's configuration.
  /// - Throws: `UserError` where it cannot be written.
  package func write(
    _ outcome: Outcome, to path: String?, steps: Int, assignments: [String]
  ) throws -> (folder: RunFolder, configuration: RunConfiguration) {
    let configuration = try source.configuration.compressed(
      outcome.model.configuration.settings, outcome.notes, exitConfidence: outcome.exitConfidence,
      steps: steps, assignments: assignments)
    let folder = try path.map(RunFolder.create) ?? RunFolder.createBeside(stem)
    do {
      try folder.write(configuration.settings)
      // What the source began with goes on being told: self-pretraining is another protocol.
      let initial = "\(run)/\(InitialWeights.fileName)"
      if FileSystem.exists(initial) {
        try writeAtomically(readFile(initial), to: folder.file(InitialWeights.fileName))
      }
      let trainer = Trainer(outcome.model, configuration.training)
      var files = try trainer.checkpoint(TrainingState())
      files[RunConfiguration.fileName] = Array(try configuration.settings.json())
      try folder.saveCheckpoint(step: 0, best: false, files: files)
      try folder.setStatus(.stopped)
    } catch {
      try? folder.setStatus(.failed)
      throw error
    }
    return (folder, configuration)
  }

  private var stem: String {
    let path = run.count > 1 && run.hasSuffix("/") ? String(run.dropLast()) : run
    let endings: [CompressionMethod: String] = [
      .prune: "-pruned", .factorise: "-factorised", .quantise: "-int8", .exits: "-exits",
    ]
    return path + methods.compactMap { endings[$0] }.joined()
  }
}
