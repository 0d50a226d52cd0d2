// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Models
import Runs
import Training

/// `lra compress`: a smaller model of a trained one, as a run of its own.
struct Compress: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a smaller model of a run's, as a run of its own.",
    usage: "lra compress RUN [--dry-run] [METHOD ...] [OPTION ...]",
    discussion: """
      lra compress runs/text-transformer-small-s0 --dry-run
      lra compress runs/text-transformer-small-s0 --prune-hidden 50% --steps 500
      lra compress runs/text-transformer-small-s0 --factorise energy=0.9 --data-aware

      Methods: pruning (--prune-heads, --prune-hidden, --drop-layers), narrow maps
      (--factorise), bytes (--quantise) and early exits (--exits), in this order;
      docs/methods.md describes them.

      The new run is beside the old one, which stays as it is. It begins with the smaller
      model, is trained for --steps further steps with a fresh optimizer, and is tested.
      """)

  @Argument(
    help: ArgumentHelp(
      "A run folder, or a folder with config.json and model.safetensors.", valueName: "run"),
    completion: .file(), transform: pathArgument)
  var folder: String
  @Flag(help: "Show where the bytes are and what the methods would do; write nothing.")
  var dryRun = false
  @Option(help: "Take this share of the heads away, as 40%, those that matter least.")
  var pruneHeads: String?
  @Option(help: "Take this share of the inner columns of feed-forward networks away.")
  var pruneHidden: String?
  @Option(help: "Take these blocks away, as 1,3; the first is 0.")
  var dropLayers: String?
  @Option(
    help: """
      Make products of two narrow maps of all maps: rank=8, share=0.4, energy=0.9 or \
      budget=200KiB.
      """)
  var factorise: String?
  @Flag(help: "With --factorise: by what the maps take from training examples.")
  var dataAware = false
  @Option(help: "Round to bytes: int8, matrices, tables and the operands of linear maps.")
  var quantise: String?
  @Flag(help: "With --quantise: in the file alone; products are those of floats.")
  var weightsOnly = false
  @Option(
    help:
      "Of a model with exits: how sure examples leave by them, as 0.95, or loss=1% by validation.")
  var exits: String?
  @Option(
    parsing: .unconditional, help: "Training examples that something is measured on, the first.")
  var calibrate = 256
  @Option(help: "The checkpoint: best or last. Default: that of the run's result.")
  var checkpoint: CheckpointChoice?
  @Option(parsing: .unconditional, help: "Training steps that follow.")
  var steps = 0
  @Option(name: .customLong("set"), help: "train.key=value for these steps. May be repeated.")
  var assignments: [String] = []
  @Option(
    help: "The new run's folder. Default: the old one's name and the methods.",
    completion: .file(), transform: pathArgument)
  var output: String?
  @Option(
    help: "Where data lives. Default: the run's own, or $LRA_DATA or data.", completion: .file(),
    transform: pathArgument
  )
  var data: String?
  @Option(help: "Threads. Default: all cores, or $LRA_THREADS.")
  var threads: Int?
  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    if let threads { try useThreads(threads) }
    try require("--calibrate", calibrate, atLeast: 1)
    try require("--steps", steps, atLeast: 0)
    var compression = try Compression(
      folder, choice: checkpoint, dataFolder: dataFolder(data, ofRun: folder))
    compression.calibration = calibrate
    compression.pruning = try pruning()
    compression.factorising = try factorise.map {
      try Factorising($0, isDataAware: dataAware)
    }
    compression.quantisation = try quantisation()
    compression.exits = try exits.map(ExitRule.init)
    try checkFlags(compression)
    try compression.check()
    Interrupts.install()
    if dryRun { return try foretell(compression) }
    try compress(compression)
  }

  /// Checks that the methods of these flags apply to the model of a training that is yet to be made.
  ///
  /// - Throws: `UserError` where one does not.
  func check(on configuration: RunConfiguration) throws {
    try Compression.check(
      configuration.makeModel(), pruning(),
      factorise.map { try Factorising($0, isDataAware: dataAware) }, quantisation())
  }

  private func pruning() throws -> Pruning {
    var pruning = Pruning()
    pruning.heads = try pruneHeads.map { try share("--prune-heads", $0) }
    pruning.hidden = try pruneHidden.map { try share("--prune-hidden", $0) }
    pruning.layers = try dropLayers.map { try integers("--drop-layers", $0, atLeast: 0) } ?? []
    return pruning
  }

  private func quantisation() throws -> Quantisation? {
    guard let quantise else { return nil }
    guard quantise == Quantisation.int8.rawValue else {
      throw UserError(
        .usage, "--quantise is \(quantise)",
        remedy: "give int8, with --weights-only for the file alone")
    }
    return weightsOnly ? .weights : .int8
  }

  /// `40%` or `0.4`.
  private func share(_ flag: String, _ text: String) throws -> Double {
    let isPercent = text.hasSuffix("%")
    let number = Double(isPercent ? String(text.dropLast()) : text).map {
      isPercent ? $0 / 100 : $0
    }
    guard let number, number > 0, number < 1 else {
      throw UserError(
        .usage, "\(flag) \(text): must be more than 0 % and less than 100 %",
        remedy: "use, for example, \(flag) 40%")
    }
    return number
  }

  private func checkFlags(_ compression: Compression) throws {
    if dataAware, factorise == nil {
      throw UserError(
        .usage, "--data-aware says how to factorise, but --factorise is missing",
        remedy: "add, for example, --factorise energy=0.9")
    }
    if weightsOnly, quantise == nil {
      throw UserError(
        .usage, "--weights-only says what to quantise, but --quantise is missing",
        remedy: "add --quantise int8")
    }
    if quantise != nil, steps > 0 {
      throw UserError(
        .usage, "--quantise with --steps: bytes have no gradients",
        remedy:
          "compress and train by the other methods first, then quantise the run that comes out")
    }
    if exits != nil, steps > 0 {
      throw UserError(
        .usage,
        "--exits with --steps: how sure exits have to be is chosen for the very model that is used",
        remedy: "train first, then use --exits on the run that comes out")
    }
    if compression.methods.isEmpty, !dryRun {
      throw UserError(
        .usage, "nothing says how to compress",
        remedy:
          "add --prune-heads, --prune-hidden, --drop-layers, --factorise, --quantise or --exits; "
          + "--dry-run shows where the bytes are")
    }
    if dryRun, output != nil || steps > 0 || !assignments.isEmpty {
      throw UserError(
        .usage, "--dry-run writes and trains nothing",
        remedy: "leave --output, --steps and --set out")
    }
  }

  // MARK: What would be done

  private func foretell(_ compression: Compression) throws {
    let model = compression.source.model
    var tables = CompressionTables(run: folder, file: compression.source.file, model: model)
    if !compression.methods.isEmpty { try prepareData(compression) }
    if compression.pruning.heads != nil || compression.pruning.hidden != nil
      || !compression.pruning.layers.isEmpty, let examples = try compression.examples(always: true)
    {
      printMessage("measuring on \(counted(examples.count, "training example"))")
      tables.importance = try Pruning.importance(of: model, examples)
      tables.loss = try examples.loss(of: model)
      tables.withoutBlocks = try Pruning.lossWithoutBlocks(of: model, examples)
    }
    if !compression.methods.isEmpty { tables.outcome = try compression.outcome() }
    try printResult(json ? try jsonText(tables.summary()) : try tables.text())
  }

  // MARK: Compression

  private func compress(_ compression: Compression) throws {
    let identity = try prepareData(compression)
    let outcome = try compression.outcome()
    let before = compression.source.model
    printMessage(
      "\(formatCount(before.parameters.count)) weights, \(formatBytes(before.weightBytes)), become "
        + "\(formatCount(outcome.model.parameters.count)), \(formatBytes(outcome.model.weightBytes)) "
        + "(\(outcome.notes.numbers))")
    if compression.quantisation != nil { try tellAgreement(compression, outcome) }
    let (folder, configuration) = try compression.write(
      outcome, to: output, steps: steps, assignments: assignments)
    let console = try makeConsole(logPath: folder.file("log.txt"))
    let run = try TrainingRun(
      configuration, data: identity, folder: folder, resuming: true, timeLimit: nil,
      console: console)
    let ending = try run.run()
    console.finish()
    try reportEnding(ending, folder, json: json)
  }

  private func tellAgreement(_ compression: Compression, _ outcome: Compression.Outcome) throws {
    let configuration = compression.source.configuration
    let agreement = try Agreement(
      compression.source.model, outcome.model, configuration.task,
      batch: configuration.training.batch)
    printMessage(
      "the same answer to \(agreement.same) of \(counted(agreement.count, "validation example")); "
        + "cosine of logits at least " + formatNumber("%.4f", agreement.leastCosine))
  }

  /// Prepares the task's data and holds them against the run's.
  @discardableResult
  private func prepareData(_ compression: Compression) throws -> DataIdentity {
    let configuration = compression.source.configuration
    try configuration.task.prepare { printMessage($0) }
    let identity = try DataIdentity(configuration.task, folder: configuration.dataFolder)
    do {
      try RunFolder.open(folder).requireSameData(identity)
    } catch let error as UserError where error.kind == .badData {
      throw UserError(
        .badData, error.problem, remedy: "name the run's data folder with --data")
    }
    return identity
  }
}
