// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Foundation
import Reports

/// `lra compare`: what differs between runs, and whether it matters.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare runs: settings, results, curves, and a paired test on the same examples.",
    usage: "lra compare RUN RUN [RUN ...] [OPTION ...]",
    discussion: "lra compare runs/listops-s4d-quick-s0 runs/listops-linear-quick-s0")

  @Argument(
    help: """
      Two run folders or more, or runs of a file as docs/results/runs.jsonl#NAME; the first is \
      compared with each other one.
      """,
    completion: .file(), transform: pathArgument)
  var runs: [String]
  @Flag(help: "Evaluate the runs that keep no answers first, on the test split.")
  var evaluate = false
  @Option(
    help: "Where data lives, for --evaluate. Default: each run's own.", completion: .file(),
    transform: pathArgument)
  var data: String?
  @Flag(help: "Print the comparison as JSON.")
  var json = false

  private struct Output: Encodable {
    let differences: ReportTable
    let results: ReportTable
    let warnings: [String]
    let curves: [RunComparison.Curve]
    let pairs: [RunComparison.Pair]
  }

  func run() throws {
    guard runs.count > 1 else {
      throw UserError(
        .usage, "one run alone cannot be compared", remedy: "give two run folders or more")
    }
    let records = try runs.map(RunRecord.init)
    if evaluate {
      Interrupts.install()
      try records.forEach(keepAnswers)
    }
    let comparison = RunComparison(records)
    if json {
      return try printResult(
        try jsonText(
          Output(
            differences: comparison.differences, results: comparison.results,
            warnings: comparison.warnings, curves: comparison.curves, pairs: comparison.pairs)))
    }
    try comparison.warnings.forEach { try printResult("warning: \($0)") }
    for table in [comparison.results, comparison.differences] where !table.rows.isEmpty {
      try printResult("\n\(table.title)")
      try printResult(
        formatTable([table.columns.map(\.title)] + table.rows.map { $0.map(\.text) }))
    }
    let plot = comparison.plot(width: 60)
    if !plot.isEmpty { try printResult("\nVal accuracy, %, over steps\n\(plot)") }
    try printResult("\nOn the same test examples (McNemar's exact test)")
    try comparison.pairs.forEach { try printResult(text($0)) }
  }

  private func text(_ pair: RunComparison.Pair) -> String {
    guard let test = pair.test else {
      return "  \(pair.second): not compared: \(pair.reason ?? "")"
    }
    let interval = 1.96 * test.error * 100
    let outcome =
      test.probability < 0.05
      ? (test.difference > 0 ? "\(pair.first) is better" : "\(pair.second) is better")
      : "not distinguishable"
    return """
        \(pair.first) − \(pair.second): \
      \(String(format: "%+.1f ± %.1f", test.difference * 100, interval)) points (95 %), \
      right alone \(test.onlyFirst) and \(test.onlySecond) of \(test.count), \
      p = \(String(format: "%.2g", test.probability)): \(outcome)
      """
  }

  private func keepAnswers(_ run: RunRecord) throws {
    guard run.result != nil, let file = RunComparison.answersFile(run),
      !FileManager.default.fileExists(atPath: file)
    else { return }
    printMessage("evaluating \(run.name)")
    let choice = run.result?.select ?? .best
    let outcome = try ChildProcess.runSelf(
      ["evaluate", run.path, "--checkpoint", choice.rawValue, "--json"]
        + (data.map { ["--data", $0] } ?? []))
    try Interrupts.check()
    guard outcome.end == .exited(0) else {
      throw UserError(
        .failed, "\(run.path): the evaluation \(outcome.end.reason)",
        remedy: "see the message above")
    }
  }
}
