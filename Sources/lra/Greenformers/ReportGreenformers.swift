// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Foundation
import Machine
import Reports

/// `lra report greenformers`: Greenformers' three claims, measured on this machine.
///
/// To the parser of arguments it is `report-greenformers`, beside `report`: a command that takes folders can have
/// no command below it.
struct ReportGreenformers: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: words.joined(separator: "-"),
    abstract: "Measure and report Greenformers' claims on low rank and Linformer.",
    usage: "lra report greenformers [OPTION ...]",
    discussion: """
      lra report greenformers --dry-run
      lra report greenformers --widths 64 --lengths 256,512,1024 --threads 1

      Trains nothing: it times steps of models with random weights, a process for each, all models \
      of a comparison in turns. What was measured is kept in greenformers.jsonl in the folder, and \
      the command typed again goes on where it was. A folder of runs with this name is \
      ./greenformers.
      """,
    shouldDisplay: false)

  /// What is typed.
  static let words = ["report", "greenformers"]

  /// Where measurements are kept.
  static let folder = "runs/greenformers"

  @Option(parsing: .unconditional, help: "Widths E, separated by commas.")
  var widths = "64,256,512"
  @Option(parsing: .unconditional, help: "Lengths in tokens, separated by commas.")
  var lengths = "128,256,512,1024,2048"
  @Option(
    parsing: .unconditional,
    help: """
      Ranks of the low-rank transformer, separated by commas: r, or a share of the rank that saves \
      nothing.
      """)
  var ranks = "0.25,0.5"
  @Option(
    parsing: .unconditional, help: "Projected lengths K of linformer, separated by commas.")
  var projected = "64,256"
  @Option(
    parsing: .unconditional,
    help: "Ranks of a layer of BERT-base's sizes, separated by commas, or none.")
  var layerRanks = "64,100,128,192,256"
  @Option(parsing: .unconditional, help: "Examples a step.")
  var batch = 8
  @Option(parsing: .unconditional, help: "Measurements of each; the medians count.")
  var rounds = 3
  @Option(parsing: .unconditional, help: "Threads; LRA_THREADS or all cores by default.")
  var threads: Int?
  @Option(
    help: "The folder of measurements; the report is written to report below it.",
    completion: .file(), transform: pathArgument)
  var output = ReportGreenformers.folder
  @Flag(help: "Say what is to be measured and about how long it takes, and stop.")
  var dryRun = false
  @Flag(help: "Measure nothing: report what was measured.")
  var drawOnly = false
  @OptionGroup var terms: EnergyOptions

  func run() throws {
    let terms = try terms.resolved()
    if let threads { try useThreads(threads) }
    try require("--rounds", rounds, atLeast: 1, atMost: 1000)
    let measurement = GreenformersMeasurement(
      folder: output, comparisons: try grid().comparisons(), rounds: rounds,
      threads: Workers.shared.count)
    if dryRun { return try printResult(measurement.announcement) }
    if !drawOnly {
      Interrupts.install()
      try measurement.run()
    }
    // What was measured elsewhere can be drawn here.
    let log = drawOnly ? GreenformersLog(folder: output) : measurement.log
    log.problems.forEach { printMessage("left out: \($0)") }
    guard !log.records.isEmpty else {
      throw UserError(
        .missingInput, "\(output): holds no measurement",
        remedy: "leave out --draw-only to measure")
    }
    let report = GreenformersReport(log, terms, folder: output)
    try printResult(report.text)
    try printResult("report            \(try report.write(to: "\(output)/report"))")
  }

  private func grid() throws -> GreenformersGrid {
    try require("--batch", batch, atLeast: 1)
    return GreenformersGrid(
      widths: try integers("--widths", widths, atLeast: 32),
      lengths: try integers("--lengths", lengths, atLeast: 1),
      ranks: try numbers("--ranks", ranks, above: 0, atMost: 1e6).map { number in
        if number < 1 { return .share(number) }
        guard let rank = Int(exactly: number) else {
          throw UserError(
            .usage, "--ranks: \(number) is neither a rank nor a share",
            remedy: "give whole ranks such as 16, or shares below 1 such as 0.25")
        }
        return .rank(rank)
      }, projected: try integers("--projected", projected, atLeast: 1),
      layerRanks: try layerRanks == "none"
        ? [] : integers("--layer-ranks", layerRanks, atLeast: 1),
      batch: batch)
  }
}
