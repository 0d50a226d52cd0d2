// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Models
import Runs
import Training

/// `lra bench`: seconds a step, memory and share of peak, a process for each cell.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure speed and memory of one training step, or of inference.",
    usage: "lra bench [OPTION ...]",
    discussion: """
      lra bench --model linear,s4d --length 1024,4096 --threads 1
      lra bench runs/text-transformer-small-s0 runs/text-transformer-small-s0-int8

      A step is the forward pass, the loss, the backward pass and AdamW. Every pair of model and
      length runs in a process of its own, so that its peak memory is its own. Of run folders
      it measures inference: the time of one example, and how many a second 32 at once are.
      """)

  @Argument(
    help: "Run folders whose models are to be measured.", completion: .file(),
    transform: pathArgument)
  var runs: [String] = []

  @Option(help: "Models, separated by commas.", completion: .models)
  var model = "transformer,linformer,linear"
  @Option(parsing: .unconditional, help: "Lengths in tokens, separated by commas.")
  var length = "1024"
  @Option(parsing: .unconditional, help: "Examples a step.")
  var batch = 8
  @Option(parsing: .unconditional, help: "Sequences of an example: 1, or 2 to compare.")
  var towers = 1
  @Option(parsing: .unconditional, help: "Model width E.")
  var emb = 64
  @Option(parsing: .unconditional, help: "Heads H; they divide the width.")
  var heads = 2
  @Option(parsing: .unconditional, help: "Blocks.")
  var layers = 2
  @Option(parsing: .unconditional, help: "Feed-forward width F.")
  var mlp = 128
  @Option(parsing: .unconditional, help: "Number of token ids, padding included.")
  var vocab = 256
  @Option(parsing: .unconditional, help: "Classes.")
  var classes = 2
  @Option(parsing: .unconditional, help: "Steps timed, after two that are not.")
  var steps = 5
  @Option(parsing: .unconditional, help: "Threads; LRA_THREADS or all cores by default.")
  var threads: Int?
  @Option(help: "What operands of products are rounded to: fp32, bf16, or with --forward int8.")
  var precision = Precision.fp32.rawValue
  @Option(help: "What is kept for the backward pass is rounded to: fp32 or bf16.")
  var saved = Precision.fp32.rawValue
  @Option(
    parsing: .unconditional,
    help: "Blocks of which only the input is kept for the backward pass; 0 for none.")
  var checkpoint = 0
  @Flag(help: "Time inference only.")
  var forward = false
  @Option(help: "A setting of the model, such as model.projected=128. May be repeated.")
  var set: [String] = []
  @Flag(help: "Print one JSON object a line, named as in other benchmarks.")
  var json = false
  @Flag(
    help: """
      Also print each operation's time, GFLOP/s, GB/s and share of the machine's bound, on \
      standard error.
      """
  )
  var profile = false
  @Flag(
    help: """
      For a comparison in turns with another program, one model and length, or one run: print an \
      empty line after the first step, then measure and print a JSON object for every line of \
      standard input.
      """
  )
  var turns = false
  @Flag(help: "With --turns and a run: its training steps, not its answers.")
  var training = false
  @Flag(help: .hidden)
  var cell = false

  func run() throws {
    guard !training || turns && runs.count == 1 else {
      throw UserError(
        .usage, "--training is for the turns of a run",
        remedy: "give one run and --turns, or --model and --length without --training")
    }
    if !runs.isEmpty { return try turns ? takeTurnsOfRun() : measureRuns() }
    let cells = try BenchCells(self)
    if turns { return try takeTurns(cells) }
    if cell { return try runCell(cells) }
    Interrupts.install()
    if !json { try printResult(BenchTable.heading) }
    var failures = 0
    var results: [BenchmarkResult] = []
    for (model, length) in cells.all {
      let outcome = try ChildProcess.runSelf(cellArguments(model, length))
      try Interrupts.check()
      let line = try BenchLine(outcome, model: model, length: length)
      if let result = line.result { results.append(result) } else { failures += 1 }
      try printResult(json ? line.json : BenchTable.row(line))
    }
    if !json, let remark = BenchTable.remark(results) { printMessage(remark) }
    if failures > 0 {
      printMessage("\(failures) of \(cells.all.count) cells failed")
      throw ExitCode(UserError.Kind.failed.rawValue)
    }
  }

  /// Measures the models of runs, one after the other in this process.
  private func measureRuns() throws {
    if let threads { try useThreads(threads) }
    try require("--steps", steps, atLeast: 1, atMost: 1_000_000)
    let speeds = try runs.map { run in
      let speed = try RunSpeed(run, steps: steps)
      if json { try printResult(try jsonText(speed, oneLine: true)) }
      return speed
    }
    if !json { try printResult(RunSpeed.table(speeds)) }
  }

  /// Measures a run in this process, each time that the other program asks for it.
  ///
  /// That is `--steps` answers to single validation examples and a tenth as many to 32, or `--steps`
  /// training steps.
  private func takeTurnsOfRun() throws {
    if let threads { try useThreads(threads) }
    try require("--steps", steps, atLeast: 1, atMost: 1_000_000)
    guard runs.count == 1 else {
      throw UserError(
        .usage, "--turns has \(runs.count) runs to measure", remedy: "give one of them")
    }
    let turn: () throws -> RunTurn
    if training {
      let folder = try dataFolder(nil, ofRun: runs[0])
      let configuration = try RunConfiguration(
        RunFolder.open(runs[0]).settings(), dataFolder: folder)
      try configuration.task.prepare { printMessage($0) }
      let session = try TrainingSession(configuration)
      turn = { try session.turn(steps: steps) }
    } else {
      let session = try AnsweringSession(runs[0], .examples)
      turn = { session.turn(passes: steps, ofMany: max(1, steps / 10)) }
    }
    try printResult("")
    while readLine() != nil { try printResult(try jsonText(turn(), oneLine: true)) }
  }

  /// Measures the one cell in this process; its parent reads the line.
  private func runCell(_ cells: BenchCells) throws {
    guard let (model, length) = cells.all.first else { return }
    do {
      try measure(try session(cells, model, length), model, length)
    } catch let error as UserError {
      try printResult(try BenchLine.failure(model, length, "\(error.problem) \(error.remedy)"))
      throw ExitCode(UserError.Kind.failed.rawValue)
    }
  }

  /// Measures the one cell in this process, each time that the other program asks for it.
  private func takeTurns(_ cells: BenchCells) throws {
    guard cells.all.count == 1, let (model, length) = cells.all.first else {
      throw UserError(
        .usage, "--turns has \(cells.all.count) models and lengths to measure",
        remedy: "give one --model and one --length")
    }
    let session = try session(cells, model, length)
    try printResult("")
    while readLine() != nil { try measure(session, model, length) }
  }

  /// Prints the measurement, and the profile that was asked for.
  private func measure(_ session: BenchmarkSession, _ model: String, _ length: Int) throws {
    let (result, profile) = session.measure(profiling: profile)
    try printResult(try jsonText(result, oneLine: true))
    if let profile { printMessage("\n\(model), length \(length)\n\(profile.table)\n") }
  }

  /// The cell's model in this process, on as many threads as were asked for.
  private func session(
    _ cells: BenchCells, _ model: String, _ length: Int
  ) throws -> BenchmarkSession {
    if let threads { try useThreads(threads) }
    return try BenchmarkSession(
      BenchmarkCell(
        model: cells.configuration(model, length), batch: batch, steps: steps,
        forwardOnly: forward, precision: cells.precision, saved: cells.saved,
        checkpoint: checkpoint))
  }

  private func cellArguments(_ model: String, _ length: Int) -> [String] {
    var arguments = ["bench", "--cell", "--model", model, "--length", "\(length)"]
    let sizes = [
      ("batch", batch), ("towers", towers), ("emb", emb), ("heads", heads), ("layers", layers),
      ("mlp", mlp),
      ("vocab", vocab), ("classes", classes), ("steps", steps), ("checkpoint", checkpoint),
    ]
    for (name, size) in sizes { arguments += ["--\(name)", "\(size)"] }
    if let threads { arguments += ["--threads", "\(threads)"] }
    arguments += ["--precision", precision, "--saved", saved]
    if forward { arguments.append("--forward") }
    if profile { arguments.append("--profile") }
    // The parent has checked that some model knows the setting; this one may not.
    let own = (try? VariantCatalog.named(model).options) ?? []
    let known = Set((ModelSettings.declarations + own).map(\.key))
    for assignment in set where known.contains(settingKey(assignment)) {
      arguments += ["--set", assignment]
    }
    return arguments
  }

  private func settingKey(_ assignment: String) -> String {
    assignment.prefix { $0 != "=" }.trimmingCharacters(in: .whitespaces)
  }
}
