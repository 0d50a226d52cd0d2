// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Foundation
import Runs
import Tasks
import Training

/// `lra inspect`: what a run's model makes of its attention and of distant tokens.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a run's attention against exact attention, and how far it looks.",
    usage: "lra inspect RUN [OPTION ...]",
    discussion: """
      lra inspect runs/text-linear-small-s0 --count 2000 --windows 1,16,256

      Attention: the error of what each layer mixes against exact softmax attention of
      the same queries, keys and values, and the accuracy with exact attention in its
      place, for the weights at the start of training, the best and the last.

      Locality: the accuracy of the best weights where one window of w neighbouring
      tokens stays and all others are shuffled, where blocks of w tokens change places,
      and where the window is all that there is. From the w on where shuffling costs
      nothing, what lies farther apart than w tokens does not matter to the model.
      """)

  @Argument(
    help: ArgumentHelp("A run folder.", valueName: "run"), completion: .file(),
    transform: pathArgument)
  var folder: String
  @Option(help: "The split: train, val or test.")
  var split: Split = .val
  @Option(help: "The first examples of the split; all take as long as evaluations do.")
  var count = 500
  @Option(help: "Window lengths; by default powers of four below the task's length.")
  var windows: String?
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
    try require("--count", count, atLeast: 1)
    let chosen = try windows.map { try integers("--windows", $0, atLeast: 1) }
    Interrupts.install()
    let dataFolder = try dataFolder(data, ofRun: folder)
    let best = try SavedModel(folder, choice: .best, dataFolder: dataFolder)
    if let message = best.message { printMessage("warning: \(message)") }
    let task = best.configuration.task
    try task.prepare { printMessage($0) }
    let question = try Question(task, split, run: folder)
    if let warning = question.warning(keepsAnswers: false) { printMessage("warning: \(warning)") }
    let examples = InspectedExamples(
      FirstExamples(question.source, count: count), task,
      batch: best.configuration.training.batch)
    let inspection = try inspect(
      best, examples, windows: chosen ?? Self.windows(below: task.length), dataFolder)
    let summary = InspectionSummary(
      run: folder, task: best.configuration.taskName, model: best.model.configuration.name,
      split: split,
      majorityShare: majorityShare(examples.source.labelCounts), inspection: inspection)
    try printResult(json ? try jsonText(summary) : summary.text)
  }

  /// 1, 4, 16 and so on.
  private static func windows(below length: Int) -> [Int] {
    var windows = [1]
    while let last = windows.last, 4 * last < length { windows.append(4 * last) }
    return windows
  }

  private func inspect(
    _ best: SavedModel, _ examples: InspectedExamples, windows: [Int], _ dataFolder: String
  ) throws -> Inspection {
    var inspection = Inspection()
    let start = try best.configuration.makeModel()
    start.parameters.tracksGradients = false
    let last = try SavedModel(folder, choice: .last, dataFolder: dataFolder)
    for (name, model) in [("start", start), ("best", best.model), ("last", last.model)] {
      printMessage("attention of the weights \(name)")
      try goOn(inspection.addAttention(name, model, examples) { Interrupts.stopRequested })
    }
    printMessage("locality: \(windows.count) windows, \(Disturbance.allCases.count) ways")
    try goOn(inspection.addLocality(windows, best.model, examples) { Interrupts.stopRequested })
    return inspection
  }

  private func goOn(_ isDone: Bool) throws {
    if isDone { return }
    throw UserError(
      .stoppedEarly, "stopped (\(Interrupts.stopReason ?? "on request")); nothing is kept",
      remedy: "type the same command again, with a lower --count if it takes too long")
  }
}

/// The result of `lra inspect`.
private struct InspectionSummary: Encodable {
  let run: String
  let task: String
  let model: String
  let split: Split
  let majorityShare: Double
  let inspection: Inspection

  var text: String {
    let count = inspection.attention.first?.evaluation.count ?? 0
    return """
      run       \(run): \(task), \(model)
      examples  the first \(count) of \(split.rawValue); chance \(formatPercent(majorityShare))

      \(attention)

      Accuracy of the best weights where tokens outside a window are disturbed

      \(locality)
      """
  }

  private var attention: String {
    let layers = inspection.attention.first?.errors.count ?? 0
    guard layers > 0 else {
      return "\(model) is no approximation of softmax attention: there is no error to measure\n\n"
        + formatTable(
          [
            ["weights", "accuracy"]
          ] + inspection.attention.map { [$0.weights, $0.evaluation.formattedAccuracy] })
    }
    let head =
      ["weights"] + (1...layers).map { "layer \($0)" } + ["accuracy", "with exact attention"]
    let rows = inspection.attention.map { part in
      [part.weights] + part.errors.map(formatPercent)
        + [part.evaluation.formattedAccuracy, part.exact?.formattedAccuracy ?? "the same"]
    }
    return "Error against exact softmax attention, norm of the difference by that of the exact\n\n"
      + formatTable([head] + rows)
  }

  private var locality: String {
    let ways = Disturbance.allCases.map(\.rawValue)
    let windows = inspection.locality.filter { $0.disturbance == ways.first }.map(\.window)
    let rows = windows.map { window in
      ["\(window)"]
        + inspection.locality.filter { $0.window == window }.map(\.evaluation.formattedAccuracy)
    }
    let whole = inspection.attention.first { $0.weights == "best" }?.evaluation.formattedAccuracy
    return formatTable(
      [["window"] + ways] + rows + [["whole"] + ways.map { _ in whole ?? "" }])
  }
}
