// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra --help")
struct HelpTests {
  private static let commands = [
    "train", "evaluate", "inspect", "compare", "top", "advise", "predict", "bench", "compress",
    "leaderboard",
    "report",
    "reproduce", "data", "data make", "data check", "data export", "list", "explain", "new",
    "new model", "new task", "doctor",
  ]

  @Test("Every help text fits 80 columns and has an example", arguments: commands)
  func help(command: String) throws {
    let help = try CommandRunner.lra("\(command) --help", environment: ["COLUMNS": "80"])
    #expect(help.status == 0)
    for line in help.lines { #expect(line.count <= 80, "\(line)") }
    let examples = help.lines.filter { $0.hasPrefix("lra \(command) ") }
    #expect(!examples.isEmpty, "\(help.output)")
  }

  @Test("Every command is among them")
  func complete() throws {
    let help = try CommandRunner.lra("--help")
    let names = help.lines.drop { $0 != "SUBCOMMANDS:" }.dropFirst().compactMap { line in
      line.wholeMatch(of: /\ \ ([a-z]+)( .*)?/).map { String($0.1) }
    }
    #expect(names.count > 10 && Set(names).isSubset(of: Self.commands), "\(names)")
  }
}
