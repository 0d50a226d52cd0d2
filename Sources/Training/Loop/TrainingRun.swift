// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Machine
import Models
import Runs
import Tasks

/// A whole run in its folder: data, steps, evaluations, checkpoints, logs, result.
package final class TrainingRun {
  /// How a run can end without failing.
  package enum Ending {
    /// With a result.
    case finished(RunResult)
    /// On request; the folder can be resumed.
    case stopped(reason: String)
    /// With `--steps 0`: the fresh checkpoint is saved.
    case initialized
  }

  /// The run's folder.
  package let folder: RunFolder
  /// Optimizer steps taken in this sitting.
  package private(set) var stepsTaken = 0
  /// Seconds of these steps, the waiting for their data included.
  package private(set) var stepSeconds = 0.0
  private var configuration: RunConfiguration
  private let console: any Console
  private let trainer: Trainer
  private var state = TrainingState()
  private var logs: RunLogs?
  private var settings: TrainingSettings { configuration.training }
  private let start = monotonicSeconds()
  private let timeLimit: Double?
  /// Whether the run begins in this sitting, so that its configuration is yet to be written.
  private let isFresh: Bool
  private var budget: TimeBudget?
  private var ended = "all steps done"

  /// Prepares a run, fresh or resumed.
  ///
  /// - Parameters:
  ///   - folder: created for a fresh run, opened for one to be resumed.
  ///   - timeLimit: seconds for everything from here, tests included. A fresh run shortens its
  ///     schedule to fit; a resumed one keeps it, and ends early.
  ///   - forgetsBest: whether a resumed run whose best checkpoint is lost goes on and chooses the
  ///     best among the evaluations that follow.
  /// - Throws: `UserError`, `.badData` where the folder no longer holds what the run needs to go on
  ///   exactly.
  package init(
    _ configuration: RunConfiguration, folder: RunFolder, resuming: Bool, timeLimit: Double?,
    forgetsBest: Bool = false, console: any Console
  ) throws {
    self.configuration = configuration
    self.folder = folder
    self.console = console
    self.timeLimit = timeLimit
    isFresh = !resuming
    trainer = Trainer(try configuration.makeModel(), configuration.training)
    if let message = folder.lockMessage { console.printMessage("warning: \(message)") }
    if resuming { try restore(forgetsBest: forgetsBest) }
  }

  /// Goes on from the last checkpoint, or from the start where the run was ended before its first.
  private func restore(forgetsBest: Bool) throws {
    guard folder.lastStep != nil else {
      console.printMessage("the run has saved no checkpoint yet; beginning with step 1")
      return
    }
    let (checkpoint, message) = try folder.loadCheckpoint(.last)
    warn(message)
    try configuration.check(against: checkpoint, folder)
    state = try trainer.restore(checkpoint)
    do {
      warn(try folder.restoreBest(step: state.bestStep))
    } catch let error as UserError where error.kind == .badData && forgetsBest {
      state.forgetBest()
      warn("\(error.problem); the best is chosen from step \(state.step) on")
      try save(best: state.bestStep != nil)
      warn(try folder.restoreBest(step: state.bestStep))
    }
  }

  private func warn(_ message: String?) {
    if let message { console.printMessage("warning: \(message)") }
  }

  /// Runs to the end, or until it is told to stop.
  ///
  /// - Throws: `UserError`; the folder's status is then `failed`, or the folder of a run that has not
  ///   begun is gone.
  package func run() throws -> Ending {
    do {
      return try attempt()
    } catch let error as UserError where error.kind == .stoppedEarly {
      try? folder.setStatus(.stopped)
      throw error
    } catch {
      // Without its data, say, a run has not begun, and leaves no folder that looks like one.
      if RunFolder.holdsRun(folder.path) {
        try? folder.setStatus(.failed)
      } else {
        folder.discard()
      }
      throw error
    }
  }

  private func attempt() throws -> Ending {
    try configuration.task.prepare { console.printMessage($0) }
    let data = RunData(
      identity: try identifyData(), train: try configuration.task.examples(.train),
      val: try configuration.task.examples(.val))
    try configuration.checkMemory(data.train)
    try Profiler.shared.pausing { try plan(data) }
    if isFresh { try folder.write(configuration.settings) }
    try folder.write(data.identity, to: DataIdentity.fileName)
    try folder.write(RunEnvironment(threads: Workers.shared.count), to: "env.json")
    if settings.steps == 0 {
      try save(best: false)
      try folder.setStatus(.done)
      return .initialized
    }
    let logs = try RunLogs(folder, configuration, after: state)
    self.logs = logs
    warn(logs.message)
    warn(startThreads())
    console.printMessage(introduction(data))
    if let reason = try train(data, logs) ?? noTimeToFinish { return try stopped(reason, logs) }
    return try finish(data, logs)
  }

  /// Notes which data the coming steps are taken on.
  private func identifyData() throws -> DataIdentity {
    var identity = try DataIdentity(configuration.task, folder: configuration.dataFolder)
    identity.follow(try folder.dataIdentity())
    state.dataHash = identity.hash
    return identity
  }

  // MARK: Steps

  /// - Returns: why the run stopped before its end, if it did.
  private func train(_ data: RunData, _ logs: RunLogs) throws -> String? {
    let prefetch = makePrefetch(data)
    var window = ProgressWindow(
      steps: settings.steps, from: state.step, state.window ?? WindowSums())
    var monitor = ChanceMonitor(
      majorityShare: majorityShare(data.train.labelCounts), steps: settings.steps,
      after: state.step)
    if isDue(settings.evalEvery), state.validation == nil || state.evaluatedStep != state.step {
      if let reason = try evaluate(data, logs) { return reason }
    }
    while state.step < settings.steps, !isOverTime {
      let start = monotonicSeconds()
      let step = state.step + 1
      let report = try trainer.step(step, prefetch.batch(step, last: settings.steps))
      state.step = step
      let seconds = monotonicSeconds() - start
      stepsTaken += 1
      stepSeconds += seconds
      budget?.noteStep(seconds: seconds)
      state.tokens += report.tokens
      state.trainingSeconds += seconds
      window.add(report, seconds: seconds)
      if let text = window.estimate(settings, data) { console.printMessage(text + advice) }
      try log(&window, &monitor, logs, report)
      state.window = window.sums
      if let reason = try checkpoint(data, logs) { return reason }
    }
    return nil
  }

  private func log(
    _ window: inout ProgressWindow, _ monitor: inout ChanceMonitor, _ logs: RunLogs,
    _ report: Trainer.StepReport
  ) throws {
    let evaluated = isDue(settings.evalEvery)
    console.printProgress(window.progress(report), evaluated: evaluated)
    if state.step % settings.logEvery == 0 || state.step == settings.steps {
      if let remark = window.observe(&monitor) { console.printMessage("warning: \(remark)") }
      try logs.training(step: state.step, window.metrics(report))
      window.startOver()
    }
  }

  /// Evaluates and saves where it is time to.
  ///
  /// - Returns: why the run must stop, if it must.
  private func checkpoint(_ data: RunData, _ logs: RunLogs) throws -> String? {
    if isDue(settings.evalEvery) {
      if let reason = try evaluate(data, logs) { return reason }
    } else if isDue(settings.checkpointEvery) || Interrupts.takeCheckpointRequest() {
      try save(best: false)
    }
    guard Interrupts.stopRequested else { return nil }
    return try stop()
  }

  private func stop() throws -> String {
    try save(best: false)
    return Interrupts.stopReason ?? "stopped on request"
  }

  private func isDue(_ every: Int) -> Bool {
    state.step > 0 && (state.step % every == 0 || state.step == settings.steps)
  }

  /// Evaluates on the validation split and saves.
  private func evaluate(_ data: RunData, _ logs: RunLogs) throws -> String? {
    let evaluator = Evaluator(trainer.model, configuration.task, batch: settings.batch)
    let start = monotonicSeconds()
    guard let result = try evaluator.run(data.val, shouldStop: { Interrupts.stopRequested }) else {
      return try stop()
    }
    budget?.noteEvaluation(seconds: monotonicSeconds() - start, examples: result.count)
    let isBest = state.evaluated(result)
    try logs.validation(step: state.step, result)
    console.printMessage(
      "step \(state.step)  validation accuracy \(formatPercent(result.accuracy))  "
        + "loss " + formatNumber("%.4f", result.loss) + (isBest ? "  best so far" : ""))
    try save(best: isBest)
    return nil
  }

  private func save(best: Bool) throws {
    let start = monotonicSeconds()
    defer { budget?.noteSave(seconds: monotonicSeconds() - start) }
    // What the log holds of these steps must not be lost while the checkpoint is there.
    state.logBytes = try logs?.synchronize() ?? state.logBytes
    var files = try trainer.checkpoint(state)
    files[RunConfiguration.fileName] = Array(try configuration.settings.json())
    try folder.saveCheckpoint(step: state.step, best: best, files: files)
  }

  private func makePrefetch(_ data: RunData) -> Prefetch {
    let order = TrainingOrder(count: data.train.count, seed: settings.seed)
    let (source, size, towers) = (data.train, settings.batch, configuration.task.towers)
    return Prefetch { step in
      try makeBatch(
        source, examples: order.examples(start: (step - 1) * size, count: size), towers: towers)
    }
  }

  // MARK: End

  /// Notes that the run, whose state is saved, is to be gone on with.
  private func stopped(_ reason: String, _ logs: RunLogs) throws -> Ending {
    try logs.end(step: state.step, status: .stopped)
    try folder.setStatus(.stopped)
    return .stopped(reason: reason)
  }

  private func finish(_ data: RunData, _ logs: RunLogs) throws -> Ending {
    if state.evaluatedStep != state.step, let reason = try evaluate(data, logs) {
      return try stopped(reason, logs)
    }
    let test = try configuration.task.examples(.test)
    console.printMessage("testing \(test.count) examples with the last and the best weights")
    let lastIsBest = state.bestStep == state.step
    let last = try self.test(trainer.model, test, lastIsBest ? settings.select : .last)
    let best = lastIsBest ? last : try testBest(test)
    guard let last, let best else {
      return try stopped(stop(), logs)
    }
    let result = try RunResult(
      configuration.settings, data.identity, state, length: configuration.model.length,
      parameters: trainer.model.parameters.count, trainCount: data.train.count, ended: ended,
      testBest: best, testLast: last, majorityShare: majorityShare(test.labelCounts),
      peakTensorBytes: BufferPool.shared.counters.peak, threads: Workers.shared.count)
    try logs.test(step: state.step, result)
    try logs.end(step: state.step, status: .done)
    try folder.write(result, to: "result.json")
    try folder.setStatus(.done)
    console.finish()
    return .finished(result)
  }

  /// Tests the best weights, in a model of their own: the trainer's stays the last.
  private func testBest(_ test: any ExampleSource) throws -> Evaluation? {
    let (checkpoint, message) = try folder.loadCheckpoint(.best)
    warn(message)
    let model = try configuration.makeModel()
    try model.load(checkpoint.file("model.safetensors"))
    return try self.test(model, test, .best)
  }

  /// Tests the weights in the model, and keeps the answers of those that the result goes by.
  private func test(
    _ model: Classifier, _ source: any ExampleSource, _ choice: CheckpointChoice
  ) throws -> Evaluation? {
    let evaluator = Evaluator(
      model, configuration.task, batch: settings.batch, data: state.dataHash)
    var lines: [UInt8] = []
    let result = try evaluator.run(
      source, shouldStop: { Interrupts.stopRequested },
      visit: { lines += try PredictionFile.line($0) })
    if result != nil, choice == settings.select {
      try writeAtomically(lines, to: PredictionFile.path(in: folder.path, .test, choice))
    }
    return result
  }

  // MARK: Time

  private var elapsed: Double { monotonicSeconds() - start }

  /// Measures what the end of a run with a time limit will take, and shortens the schedule of a
  /// fresh one so that it ends, tests included, within its time.
  private func plan(_ data: RunData) throws {
    guard let timeLimit, settings.steps > 0 else { return }
    let evaluator = Evaluator(trainer.model, configuration.task, batch: settings.batch)
    var budget = TimeBudget(
      limit: timeLimit, validationCount: data.val.count,
      testCount: try configuration.task.examples(.test).count, evalEvery: settings.evalEvery)
    budget.noteEvaluation(seconds: try evaluator.secondsPerExample(data.val), examples: 1)
    if isFresh { try fitSchedule(data, &budget) }
    self.budget = budget
  }

  private func fitSchedule(_ data: RunData, _ budget: inout TimeBudget) throws {
    let batch = try makePrefetch(data).batch(1, last: 1)
    budget.noteStep(seconds: trainer.secondsPerStep(batch))
    let possible = budget.steps(after: elapsed)
    guard possible > 0 else {
      let least = formatDuration(seconds: (elapsed + budget.endSeconds).rounded(.up))
      throw UserError(
        .usage, "--time-limit: the last evaluation and the tests alone need about \(least)",
        remedy: "give more time, or fewer examples to test: --set task.test-count=...")
    }
    guard possible < settings.steps else { return }
    console.printMessage("the time limit leaves room for \(possible) of \(settings.steps) steps")
    try configuration.fit(steps: possible, origin: "--time-limit")
    trainer.use(settings)
  }

  /// Whether only the end of the run still fits into the time.
  private var isOverTime: Bool {
    guard let budget, state.step > 0, !budget.hasTimeForStep(after: elapsed) else { return false }
    ended = "time limit reached after \(state.step) of \(settings.steps) steps"
    return true
  }

  /// Why the tests must wait for another sitting, if they must.
  private var noTimeToFinish: String? {
    let evaluated = state.evaluatedStep == state.step
    guard let budget, !budget.hasTimeForEnd(after: elapsed, evaluated: evaluated) else {
      return nil
    }
    return "the time limit leaves no time for the tests, which take about "
      + formatDuration(seconds: budget.endSeconds)
  }

  /// Starts the threads that the run computes with.
  ///
  /// - Returns: what to tell the user, if the system allows fewer than were asked for.
  private func startThreads() -> String? {
    let wanted = Workers.shared.count
    let count = Workers.shared.start()
    return count < wanted ? "the system lets only \(count) of \(wanted) threads start" : nil
  }

  // MARK: Words

  private func introduction(_ data: RunData) -> String {
    let model = configuration.model
    let begin = state.step == 0 ? "" : "; going on after step \(state.step)"
    return """
      \(configuration.taskName) · \(model.name) · \(trainer.model.parameters.count) parameters · \
      \(data.train.count) training examples up to \(model.length) tokens
      \(settings.steps) steps of \(settings.batch) examples on \(Workers.shared.count) threads\(begin)
      run folder \(folder.path)
      """
  }

  private var advice: String {
    """

    Ctrl-C saves and stops; go on with: \(programWord) train --resume \(shellQuoted(folder.path))
    other sizes: --preset quick (minutes), small, paper (hours); \(programWord) list shows them
    """
  }
}

/// The data of a run, and the splits that training reads.
struct RunData {
  let identity: DataIdentity
  let train: any ExampleSource
  let val: any ExampleSource
}
