// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Machine
import Models
import Runs
import Tasks

extension TrainingRun {
  /// Tests the last and the best weights, and writes the result.
  ///
  /// - Throws: ``Stop`` where the run is told to stop before.
  func finish(_ data: RunData, _ logs: RunLogs) throws -> RunResult {
    if !isEvaluated { try evaluate(data, logs) }
    let test = try configuration.task.examples(.test)
    if let pruning = trainer.pruning { console.printMessage(pruning.summary) }
    console.printMessage(
      "testing \(counted(test.count, "example")) with the last and the best weights")
    // Without a best, as where time ended a run while it removed weights, there is only the last.
    let lastIsBest = state.bestStep ?? state.step == state.step
    let last = try self.test(trainer.model, test, lastIsBest ? settings.select : .last)
    let best = lastIsBest ? last : try testBest(test)
    var result = try RunResult(
      configuration.settings, data.identity, state, length: configuration.model.length,
      parameters: trainer.model.parameters.count, trainCount: data.train.count, ended: ended,
      testBest: best, testLast: last, majorityShare: majorityShare(test.labelCounts),
      peakTensorBytes: BufferPool.shared.counters.peak, threads: Workers.shared.count)
    try note(energyOf: &result)
    result.trainingFlops = state.flops
    result.pretraining = try InitialWeights.noted(in: folder)?.pretraining
    try logs.test(step: state.step, result)
    try logs.end(step: state.step, status: .done)
    try folder.write(result, to: "result.json")
    try folder.setStatus(.done)
    console.finish()
    return result
  }

  /// Notes the energy of all steps and its CO2; nothing where it is not known, as of several ranks.
  private func note(energyOf result: inout RunResult) throws {
    guard group.ranks.size == 1, state.step > 0 else { return }
    let terms = try EnergyTerms.fromEnvironment()
    let energy = terms.energy(
      seconds: state.trainingSeconds, counted: state.joules, threads: Workers.shared.count)
    guard energy != .none else { return }
    result.energy = energy
    result.carbon = terms.carbon(energy)
  }

  /// Why the run ended.
  var ended: String {
    if state.step == settings.steps { return "all steps done" }
    let taken = "after \(state.step) of \(settings.steps) steps"
    return isOutOfPatience
      ? "no better evaluation in \(configuration.start.patience), \(taken)"
      : "time limit reached \(taken)"
  }

  /// Tests the best weights, in a model of their own: the trainer's stays the last.
  private func testBest(_ test: any ExampleSource) throws -> Evaluation {
    let (checkpoint, message) = try folder.loadCheckpoint(.best)
    warn(message)
    let model = try configuration.makeModel()
    try model.load(checkpoint.file("model.safetensors"))
    return try self.test(model, test, .best)
  }

  /// Tests the weights in the model, and keeps the answers of those that the result goes by.
  private func test(
    _ model: Classifier, _ source: any ExampleSource, _ choice: CheckpointChoice
  ) throws -> Evaluation {
    let evaluator = group.evaluator(
      model, configuration, .test, isTrained: model === trainer.model, data: state.dataHash)
    var lines: [UInt8] = []
    let result = try evaluator.run(
      source, leavingAt: configuration.exits.leaving,
      shouldStop: { Interrupts.stopRequested },
      visit: { lines += try PredictionFile.line($0) })
    guard let result else { throw try stop() }
    if choice == settings.select {
      try writeAtomically(lines, to: PredictionFile.path(in: folder.path, .test, choice))
    }
    return result
  }
}
