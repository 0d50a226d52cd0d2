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
      lra report runs --energy --tdp 65 --grid FRA --price 0.20

      Runs are looked for in the folders and below, and in the lines of a file runs.jsonl; speed \
      measurements are the file speed.jsonl in a folder, lines as lra bench --json prints them, and \
      peers.jsonl as make bench-peers logs them.

      lra report greenformers is a command of its own: lra help report greenformers.
      """)

  @Argument(
    help: "Folders with runs, or files of runs.", completion: .file(), transform: pathArgument)
  var folders: [String] = ["runs"]
  @Option(help: "The folder to write to.", completion: .file(), transform: pathArgument)
  var output = "report"
  @Flag(help: "Print the tables too, in Markdown.")
  var tables = false
  @Flag(help: "Have a table of energy and CO2 even where no run knows its energy.")
  var energy = false
  @OptionGroup var terms: EnergyOptions

  func run() throws {
    let terms = try terms.resolved()
    var data = try ReportData(folders: folders)
    data.terms = terms
    data.asksEnergy = energy
    if energy, data.runs.allSatisfy({ $0.energy(terms) == .none }) {
      printMessage(
        "no run knows its energy: this machine shows no counters, and no power of its processor is given; "
          + "for an estimate add --tdp 65, or --tdp 280/64 for a part of a processor of 64 cores")
    }
    data.problems.forEach { printMessage("left out: \($0)") }
    let report = Report(data)
    let page = try report.write(to: output)
    if tables { try printResult(report.markdown) }
    try printResult("report            \(page)")
  }
}
