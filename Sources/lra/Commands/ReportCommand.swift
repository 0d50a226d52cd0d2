// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Foundation
import Reports

/// `lra report`: tables and a page of all runs in folders.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write tables and an offline page of all runs in folders.",
    usage: "lra report [FOLDER ...] [OPTION ...]",
    discussion: """
      lra report runs
      lra report runs/leaderboard --output report

      Runs are looked for in the folders and below, and in the lines of a file runs.jsonl; speed \
      measurements are the file speed.jsonl in a folder, lines as lra bench --json prints them, and \
      peers.jsonl as make bench-peers logs them.
      """)

  @Argument(
    help: "Folders with runs, or files of runs.", completion: .file(), transform: pathArgument)
  var folders: [String] = ["runs"]
  @Option(help: "The folder to write to.", completion: .file(), transform: pathArgument)
  var output = "report"
  @Flag(help: "Print the tables too, in Markdown.")
  var tables = false

  func run() throws {
    let data = try ReportData(folders: folders)
    data.problems.forEach { printMessage("left out: \($0)") }
    let report = Report(data)
    let page = try report.write(to: output)
    if tables { try printResult(report.markdown) }
    try printResult("report            \(page)")
  }
}
