// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Runs
import Tasks

extension TrainingRun {
  /// Takes the steps that are left, or those that there is time for.
  ///
  /// - Throws: ``Stop`` where the run is told to stop.
  func takeSteps(_ data: RunData, _ logs: RunLogs) throws {
    let batches = data.batches(configuration)
    var window = ProgressWindow(
      steps: settings.steps, from: state.step, state.window ?? WindowSums())
    var monitor = ChanceMonitor(
      majorityShare: majorityShare(data.train.labelCounts), steps: settings.steps,
      after: state.step)
    // The run may have been ended between a step and its evaluation.
    if isDue(settings.evalEvery), !isEvaluated { try evaluate(data, logs) }
    while state.step < settings.steps, !isOutOfPatience, hasTimeForStep {
      let start = monotonicSeconds()
      let operations = Profiler.shared.flops
      let step = state.step + 1
      let (report, joules) = try energy.measured {
        let batch = try batches.batch(step, last: settings.steps)
        group.announce(.step(step))
        return try trainer.step(step, batch)
      }
      let seconds = monotonicSeconds() - start
      note(report, seconds: seconds, joules: joules, flops: Profiler.shared.flops - operations)
      window.add(report, seconds: seconds)
      if let text = window.estimate(settings, data) { console.printMessage(text + advice) }
      try log(&window, &monitor, logs, report)
      state.window = window.sums
      try evaluateOrSave(data, logs)
      if Interrupts.stopRequested { throw try stop() }
    }
  }

  private func note(
    _ report: Trainer.StepReport, seconds: Double, joules: Double?, flops: Int
  ) {
    // Of other ranks neither is known here.
    let isAlone = group.ranks.size == 1
    state.took(
      tokens: report.tokens, seconds: seconds, joules: isAlone ? joules : nil,
      flops: isAlone ? Double(flops) : nil)
    stepsTaken += 1
    stepSeconds += seconds
    budget?.noteStep(seconds: seconds)
  }

  private func log(
    _ window: inout ProgressWindow, _ monitor: inout ChanceMonitor, _ logs: RunLogs,
    _ report: Trainer.StepReport
  ) throws {
    console.printProgress(window.progress(report), evaluated: isDue(settings.evalEvery))
    if state.step % settings.logEvery == 0 || state.step == settings.steps {
      // The commonest class says nothing of tokens.
      let asks = state.step > configuration.distillation.distillStageSteps
      if selfPretraining == nil, asks { warn(window.observe(&monitor)) }
      try logs.training(step: state.step, window.metrics(report))
      window.startOver()
    }
  }

  /// Evaluates and saves where it is time to.
  private func evaluateOrSave(_ data: RunData, _ logs: RunLogs) throws {
    if isDue(settings.evalEvery) {
      try evaluate(data, logs)
    } else if isDue(settings.checkpointEvery) || Interrupts.takeCheckpointRequest() {
      try save(best: false)
    }
  }

  /// Whether `train.patience` evaluations in a row were no better than the best.
  var isOutOfPatience: Bool {
    let patience = configuration.start.patience
    guard patience > 0, let best = state.bestStep else { return false }
    return state.step / settings.evalEvery - best / settings.evalEvery >= patience
  }

  private func isDue(_ every: Int) -> Bool {
    state.step > 0 && (state.step % every == 0 || state.step == settings.steps)
  }
}
