import Base
import Foundation

/// The two logs of a run: `metrics.jsonl` for programs, event files for TensorBoard.
final class RunLogs {
  private let metrics: MetricsLog
  private let events: EventWriter

  /// Opens both, fresh or to go on after `step`.
  init(_ folder: RunFolder, _ configuration: RunConfiguration, after step: Int) throws {
    metrics = try MetricsLog(
      path: folder.file("metrics.jsonl"), resumingAt: step == 0 ? nil : step)
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
    try metrics.record(step: step, values)
    events.scalars(step: step, values)
  }

  /// Records `<split>/accuracy` and `<split>/loss`.
  func evaluation(_ split: String, step: Int, _ result: Evaluation) throws {
    let values = ["\(split)/accuracy": result.accuracy, "\(split)/loss": result.loss]
    try metrics.record(step: step, values)
    events.scalars(step: step, values)
    try events.flush()
  }

  func end(step: Int, status: RunStatus) throws {
    try metrics.end(step: step, status: status)
    try events.flush()
  }
}
