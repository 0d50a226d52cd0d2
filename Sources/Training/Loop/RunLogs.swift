// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs

/// The two logs of a run: `metrics.jsonl` for programs, event files for TensorBoard.
final class RunLogs {
  private let metrics: MetricsLog
  private let events: EventWriter

  /// What to tell the user, if the logs are not as the checkpoint has them.
  var message: String? { metrics.message }

  /// Opens both, fresh or to go on after a checkpoint.
  init(_ folder: RunFolder, _ configuration: RunConfiguration, after state: TrainingState) throws {
    let step = state.step
    metrics = try MetricsLog(
      path: folder.file("metrics.jsonl"), resumingAt: step == 0 ? nil : step, bytes: state.logBytes)
    events = try EventWriter(folder: folder.path, firstStep: step + 1)
    try metrics.start(
      step: step,
      [
        "task": .text(configuration.taskName), "model": .text(configuration.model.name),
        "seed": .integer(Int(clamping: configuration.training.seed)),
      ])
    let group = try configuration.settings.hash(excluding: ["train.seed"])
    events.hyperparameters(configuration.settings, group: group)
  }

  func training(step: Int, _ values: [String: Double]) throws {
    try record(step: step, values)
  }

  /// Records `eval/accuracy` and `eval/loss` of the validation split.
  func validation(step: Int, _ result: Evaluation) throws {
    try record(step: step, result.metrics("eval"))
  }

  /// Records the test at the end: that of the best weights, that of the last, and as `test/…` the one
  /// of the two that is the result, with the step that its weights are from.
  func test(step: Int, _ result: RunResult) throws {
    var values = result.test.metrics("test")
    values["test/weights_step"] = Double(
      result.select == .best ? result.bestStep ?? step : step)
    for other in [result.testBest.metrics("test_best"), result.testLast.metrics("test_last")] {
      values.merge(other) { $1 }
    }
    try record(step: step, values)
  }

  func end(step: Int, status: RunStatus) throws {
    try metrics.end(step: step, status: status)
    _ = try synchronize()
  }

  /// Waits until everything so far is on the disk, as it must be before a checkpoint that follows it.
  ///
  /// - Returns: the size of `metrics.jsonl`, bytes.
  func synchronize() throws -> Int {
    try events.flush()
    return try metrics.synchronize()
  }

  private func record(step: Int, _ values: [String: Double]) throws {
    try metrics.record(step: step, values)
    events.scalars(step: step, values)
    try events.flush()
  }
}

extension Evaluation {
  /// Accuracy and loss by their names in logs, such as `eval/loss`.
  fileprivate func metrics(_ name: String) -> [String: Double] {
    ["\(name)/accuracy": accuracy, "\(name)/loss": loss]
  }
}
