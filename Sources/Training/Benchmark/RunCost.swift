// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Machine
import Models
import Tasks

/// What a run would take on this machine, measured by a few steps of it.
package struct RunCost: Codable, Sendable, Equatable {
  /// Seconds of one optimizer step.
  package var stepSeconds: Double
  /// Seconds of one pass over the validation split.
  package var validationSeconds: Double
  /// Seconds of one pass over the test split.
  package var testSeconds: Double
  /// The most memory that the process held, bytes.
  package var peakResidentBytes: Int
  /// Steps of the whole schedule.
  package var steps: Int
  /// Steps between two evaluations.
  package var evalEvery: Int
  /// Threads that it was measured with.
  package var threads: Int
  /// The energy of the whole run, tests included; nil where nothing is known of it.
  package var energy: EnergyEstimate?

  package init(
    stepSeconds: Double, validationSeconds: Double, testSeconds: Double, peakResidentBytes: Int,
    steps: Int, evalEvery: Int, threads: Int
  ) {
    self.stepSeconds = stepSeconds
    self.validationSeconds = validationSeconds
    self.testSeconds = testSeconds
    self.peakResidentBytes = peakResidentBytes
    self.steps = steps
    self.evalEvery = evalEvery
    self.threads = threads
  }

  /// Seconds that every run takes however short its schedule: the last evaluation, and the test of
  /// the last and of the best weights.
  package var fixedSeconds: Double { validationSeconds + 2 * testSeconds }

  /// Seconds for each step, evaluations on the way included.
  package var secondsPerStep: Double { stepSeconds + validationSeconds / Double(evalEvery) }

  /// Seconds of a run with a given number of steps.
  package func seconds(steps: Int) -> Double { fixedSeconds + secondsPerStep * Double(steps) }

  /// Seconds of the whole run.
  package var seconds: Double { seconds(steps: steps) }
}

extension RunCost: CheckedValue {
  /// Checks that every number is one that can be measured.
  package func check() throws(FieldFault) {
    try FieldRange.amount.check([
      "step_seconds": stepSeconds, "validation_seconds": validationSeconds,
      "test_seconds": testSeconds,
    ])
    try energy?.check(in: "energy")
    try FieldRange.count.check(["peak_resident_bytes": peakResidentBytes, "steps": steps])
    try FieldRange.positiveCount.check(["eval_every": evalEvery, "threads": threads])
  }
}

extension RunCost {
  /// Batches timed, after one that is not.
  private static let batches = 3

  /// Measures a run: steps on its first batches, evaluation on some of its examples.
  ///
  /// The data are prepared first, which takes time once and is not counted.
  ///
  /// - Parameter report: told what the preparation of data does.
  /// - Throws: `UserError` for a configuration or data that cannot be used.
  package static func measure(
    _ configuration: RunConfiguration, report: (String) -> Void
  ) throws -> RunCost {
    let task = configuration.task
    try task.prepare(report: report)
    let settings = configuration.training
    let session = try TrainingSession(configuration)
    let turn = try session.turn(steps: batches)
    let seconds = turn.stepS.reduce(0, +)
    let joules = turn.energyJ.map { $0 * Double(batches) }
    let stepSeconds = seconds / Double(batches)
    let example = try Evaluator(session.trainer.model, task, batch: settings.batch)
      .secondsPerExample(task.examples(.val))
    var cost = RunCost(
      stepSeconds: stepSeconds,
      validationSeconds: example * Double(try task.examples(.val).count),
      testSeconds: example * Double(try task.examples(.test).count),
      peakResidentBytes: Machine.peakResidentBytes(), steps: settings.steps,
      evalEvery: settings.evalEvery,
      threads: Workers.shared.count)
    let energy = try EnergyTerms.fromEnvironment().energy(
      seconds: cost.seconds, counted: joules.map { $0 / max(seconds, 1e-9) * cost.seconds },
      threads: cost.threads)
    if energy != .none { cost.energy = energy }
    return cost
  }
}

extension RunCost {
  /// What a step computes beside the labels' loss.
  ///
  /// A teacher's answers are kept; only what its mixers add is computed in every step.
  static func objective(
    _ configuration: RunConfiguration, _ model: Classifier
  ) throws -> (any Objective)? {
    if configuration.pretraining.isPretraining { return try SelfPretraining(configuration, model) }
    return configuration.distillation.distillMatch == .outputs
      ? try Distillation(configuration, model) : nil
  }
}

extension RunCost {
  /// The cost for people, a line a fact.
  ///
  /// - Parameter terms: what energy amounts to.
  package func summary(terms: EnergyTerms) -> String {
    """
    whole run         \(formatDuration(seconds: seconds)) for \(steps) steps, threads: \(threads)
    a step            \(String(format: "%.3f s", stepSeconds))
    validation        \(String(format: "%.1f s", validationSeconds)), every \(evalEvery) steps
    test              \(String(format: "%.1f s", testSeconds)), two of them
    peak memory       \(formatBytes(peakResidentBytes))
    """ + (energy.map { "\nenergy            \(terms.text($0))" } ?? "")
  }
}
