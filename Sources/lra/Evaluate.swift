import ArgumentParser
import Autodiff
import Base
import Foundation
import Tasks
import Training

/// `lra evaluate`: loss and accuracy of a run's checkpoint on a split.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluate a run's checkpoint on a split.")

  @Argument(
    help: ArgumentHelp(
      "A run folder, or a folder with config.json and model.safetensors.", valueName: "run"))
  var folder: String
  @Option(help: "The split: train, val or test.")
  var split: Split = .test
  @Option(help: "The checkpoint: best or last.")
  var checkpoint: CheckpointChoice = .best
  @Option(help: "Write every prediction to this file, one JSON object a line.")
  var predictions: String?
  @Option(parsing: .unconditional, help: "Examples at once; the result does not depend on it.")
  var batch: Int?
  @Option(help: "Where data lives. Default: $LRA_DATA or data.")
  var data: String?
  @Option(help: "Threads. Default: all cores, or $LRA_THREADS.")
  var threads: Int?
  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    if let threads { Workers.shared.limit(to: threads) }
    if let batch, batch < 1 {
      throw UserError(
        .usage, "--batch is \(batch), but must be at least 1", remedy: "leave it out")
    }
    let saved = try SavedModel(folder, choice: checkpoint, dataFolder: dataFolder(data))
    if let message = saved.message { say("warning: \(message)") }
    let task = saved.configuration.task
    try task.prepare { say($0) }
    let source = try task.examples(split)
    let evaluator = Evaluator(
      saved.model, task, batch: batch ?? saved.configuration.training.batch)
    var lines: [UInt8] = []
    let result = try evaluator.run(
      source,
      visit: { prediction in
        guard predictions != nil else { return }
        lines += Array(try JSONEncoder().encode(prediction)) + [UInt8(ascii: "\n")]
      })
    guard let result else { return }
    if let predictions { try writeAtomically(lines, to: predictions) }
    try report(result, source, saved)
  }

  private func report(
    _ result: Evaluation, _ source: any ExampleSource, _ saved: SavedModel
  ) throws {
    let share = majorityShare(source.labelCounts)
    let remark = chanceRemark(correct: result.correct, of: result.count, share: share)
    let summary = EvaluationSummary(
      run: folder, file: saved.file, split: split, count: result.count, accuracy: result.accuracy,
      accuracyStderr: result.error, loss: result.loss, majorityShare: share, remark: remark)
    tell(json ? try jsonText(summary) : summary.text)
  }
}

/// The result of `lra evaluate`.
private struct EvaluationSummary: Encodable {
  let run: String
  let file: String
  let split: Split
  let count: Int
  let accuracy: Double
  let accuracyStderr: Double
  let loss: Double
  let majorityShare: Double
  let remark: String?

  var text: String {
    """
    weights   \(file)
    split     \(split.rawValue), \(count) examples
    accuracy  \(formatPercent(accuracy)) ± \(formatPercent(accuracyStderr)) (standard error)
    loss      \(String(format: "%.4f", loss))
    chance    \(formatPercent(majorityShare)) (commonest class)\(remark.map { "; \($0)" } ?? "")
    """
  }
}

extension Split: ExpressibleByArgument {}
extension CheckpointChoice: ExpressibleByArgument {}
