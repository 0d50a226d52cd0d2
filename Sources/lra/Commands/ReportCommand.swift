// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `lra report`: what was trained or measured, in tables and pages.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract:
      "Write tables and an offline page of all runs in folders, or of Greenformers' claims.",
    usage: "lra report [of] [FOLDER ...] [OPTION ...]",
    discussion: """
      lra report runs
      lra report runs --energy --tdp 65 --grid FRA --price 0.20
      lra report greenformers --dry-run

      The word of may be left out; lra help report of tells of its options.
      """,
    subcommands: [ReportRuns.self, ReportGreenformers.self], defaultSubcommand: ReportRuns.self)
}
