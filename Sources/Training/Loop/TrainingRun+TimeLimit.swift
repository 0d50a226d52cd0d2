// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks

extension TrainingRun {
  private var elapsed: Double { monotonicSeconds() - start }

  /// Measures what the end of a run with a time limit will take, and shortens the schedule of a
  /// fresh one so that it ends, tests included, within its time.
  func fitIntoTime(_ data: RunData) throws {
    guard let timeLimit, settings.steps > 0 else { return }
    let evaluator = group.evaluator(trainer.model, configuration, .val)
    var budget = TimeBudget(
      limit: timeLimit, validationCount: data.val.count,
      testCount: try configuration.task.examples(.test).count, evalEvery: settings.evalEvery)
    budget.noteEvaluation(seconds: try evaluator.secondsPerExample(data.val), examples: 1)
    if isFresh {
      let batch = try data.batches(configuration).batch(1, last: 1)
      group.announce(.time)
      budget.noteStep(seconds: trainer.secondsPerStep(batch))
      try fitSchedule(budget)
    }
    self.budget = budget
  }

  private func fitSchedule(_ budget: TimeBudget) throws {
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
    try group.follow(configuration)
  }

  /// Whether another step leaves time for the end of the run; the first one is always taken.
  var hasTimeForStep: Bool {
    state.step == 0 || budget?.hasTimeForStep(after: elapsed) ?? true
  }

  /// Checks that there is time for the tests.
  ///
  /// - Throws: ``Stop`` where they must wait for another sitting.
  func requireTimeToFinish() throws {
    guard let budget, !budget.hasTimeForEnd(after: elapsed, evaluated: isEvaluated) else { return }
    throw try stop(
      "the time limit leaves no time for the tests, which take about "
        + formatDuration(seconds: budget.endSeconds))
  }
}
