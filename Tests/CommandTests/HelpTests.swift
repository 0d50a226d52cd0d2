// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra --help")
struct HelpTests {
  private static let commands = [
    "train", "evaluate", "inspect", "compare", "top", "advise", "predict", "bench", "compress",
    "leaderboard", "ladder", "cost", "cost bert", "report", "report greenformers",
    "reproduce", "data", "data make", "data check", "data export", "list", "explain", "new",
    "new model", "new task", "doctor",
    "help",
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

  @Test(
    "lra help explains commands, topics, settings, models and tasks",
    arguments: [
      ("train", "USAGE: lra train"), ("report", "--output <output>"),
      ("report greenformers", "--layer-ranks"), ("data make", "USAGE: lra data make"),
      ("", "SUBCOMMANDS:"),
      ("exit-status", "75  stopped early, run again to go on"), ("settings", "train.warmup"),
      ("environment", "LRA_THREADS"), ("sweeps", "lra leaderboard"), ("signals", "USR1"),
      ("completion", "make install"), ("train.warmup", "listops, small"),
      ("s4d", "arXiv 2206.11893"), ("listops", "10 classes"),
    ])
  func subject(words: String, expected: String) throws {
    let help = try CommandRunner.lra("help \(words)")
    #expect(help.status == 0 && help.output.contains(expected), "\(help.output)\(help.errors)")
  }

  @Test("What there is no help on is refused, and the nearest named")
  func unknown() throws {
    let help = try CommandRunner.lra("help leaderbord")
    #expect(
      help.status == 64 && help.errors.contains("did you mean leaderboard?"), "\(help.errors)")
  }

  @Test("The words of the exit statuses are those of the document")
  func statuses() throws {
    let document = try String(
      contentsOfFile: "\(CommandRunner.root)/docs/commands.md", encoding: .utf8)
    let rows = try CommandRunner.lra("help exit-status").lines.map {
      $0.split(separator: " ", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(rows.count == 9)
    for row in rows { #expect(document.contains("| \(row[0]) | \(row[1]) |"), "\(row)") }
  }

  @Test("The manual page has every command, flag, topic and setting, and no faulty line")
  func manual() throws {
    let run = try CommandRunner.lra("help --man")
    let page = run.output.replacing("\\-", with: "-")
    for command in Self.commands { #expect(page.contains(".SS lra \(command)\n"), "\(command)") }
    for text in ["--resume", "--per-class", ".SH EXIT STATUS", "train.warmup", "LRA_DATA"] {
      #expect(page.contains(text), "\(text)")
    }
    let macros: Set = [".TH", ".SH", ".SS", ".B", ".br", ".nf", ".fi", ".TP", ".PP"]
    for line in run.lines where line.hasPrefix(".") || line.hasPrefix("'") {
      #expect(macros.contains(String(line.prefix { $0 != " " })), "\(line)")
    }
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/groff") else { return }
    try withScratchFolder { folder in
      try run.output.write(toFile: "\(folder)/lra.1", atomically: true, encoding: .utf8)
      let shown = try CommandRunner.run(
        "/usr/bin/groff", ["-man", "-Tutf8", "-Kutf8", "-ww", "\(folder)/lra.1"])
      #expect(shown.status == 0 && shown.errors.isEmpty, "\(shown.errors)")
    }
  }

  @Test("The shell completes names of tasks and models, presets and keys")
  func completion() throws {
    let script = try CommandRunner.lra("--generate-completion-script bash").output
    for text in ["listops", "linformer", "quick", "train.warmup", "exit-status"] {
      #expect(script.contains(text), "\(text)")
    }
  }
}
