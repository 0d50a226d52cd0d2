// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Foundation
import Machine
import Reports

/// `lra top`: all runs of a folder, live.
struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Watch all runs of a folder, from their files, in another shell.",
    usage: "lra top [FOLDER] [OPTION ...]",
    discussion: """
      lra top runs/leaderboard

      q or Ctrl-C ends it. Where the output is no terminal, the table is printed once. Runs that a \
      leaderboard has not begun are shown as queued. A narrow screen has fewer columns.
      """)

  @Argument(help: "The folder that holds the runs.", completion: .file(), transform: pathArgument)
  var folder = "runs"
  @Option(parsing: .unconditional, help: "Seconds between two looks.")
  var interval = 2
  @Flag(help: "Print the table once.")
  var once = false
  @Flag(help: "Print the table once, as JSON.")
  var json = false

  func run() throws {
    try require("--interval", interval, atLeast: 1)
    var seen: [String: Seen] = [:]
    let standings = try look(&seen)
    if json { return try printResult(try jsonText(standings)) }
    guard !once, isatty(STDOUT_FILENO) == 1 else {
      return try printResult(table(standings, width: Int.max, height: Int.max))
    }
    Interrupts.install()
    let keyboard = Keyboard()
    // The terminal's other screen: what was on it before comes back at the end.
    write("\u{1B}[?1049h\u{1B}[?25l")
    defer {
      write("\u{1B}[?25h\u{1B}[?1049l")
      keyboard?.restore()
    }
    repeat {
      let (width, height) = screen
      let text = table(
        try look(&seen), hint: keyboard == nil ? "" : "; q ends", width: width, height: height)
      write("\u{1B}[H" + text.replacingOccurrences(of: "\n", with: "\u{1B}[K\r\n") + "\u{1B}[J")
    } while !isEnded(keyboard)
  }

  /// Waits until the next look.
  ///
  /// - Returns: whether a key or a signal asked to end before.
  private func isEnded(_ keyboard: Keyboard?) -> Bool {
    let next = ContinuousClock.now + .seconds(interval)
    while ContinuousClock.now < next {
      if Interrupts.stopRequested { return true }
      guard let keyboard else {
        usleep(100_000)
        continue
      }
      if keyboard.asksToEnd(within: 100) { return true }
    }
    return Interrupts.stopRequested
  }

  /// What was seen of a run, and when its files were changed last.
  private typealias Seen = (times: [Date?], standing: RunStanding)

  /// The runs, those that run first, then those that wait, then the latest; runs whose files have not changed are not read
  /// again, unless they say that they run.
  private func look(_ seen: inout [String: Seen]) throws -> [RunStanding] {
    let standings =
      RunCollection.paths(in: folder).compactMap { path -> RunStanding? in
        let times = ["STATUS", "metrics.jsonl", "result.json"].map { name in
          try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.modificationDate]
            as? Date
        }
        if let known = seen[path], known.times == times, known.standing.state != .running {
          return known.standing
        }
        guard let standing = try? RunStanding(path) else { return nil }
        seen[path] = (times, standing)
        return standing
      } + RunStanding.queued(in: folder)
    guard !standings.isEmpty else {
      throw UserError(
        .missingInput, "\(folder): holds no run",
        remedy: "give the folder in which runs are, as in lra top runs/leaderboard")
    }
    return standings.sorted {
      ($0.state.urgency, $0.time, $1.name) > ($1.state.urgency, $1.time, $0.name)
    }
  }

  private func table(
    _ standings: [RunStanding], hint: String = "", width: Int, height: Int
  ) -> String {
    let counts = RunStanding.State.allCases.compactMap { state in
      let count = standings.count { $0.state == state }
      return count == 0 ? nil : "\(count) \(state.rawValue)"
    }
    let heading = "\(printable(folder)): \(counts.joined(separator: ", "))\(hint)"
    let shown = standings.prefix(max(1, height - 4))
    let lines = TopTable(standings: Array(shown)).lines(width: width)
    let rest = standings.count - shown.count
    return ([String(heading.prefix(width))] + lines + (rest > 0 ? ["and \(rest) more"] : []))
      .joined(separator: "\n")
  }

  private var screen: (width: Int, height: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return (100, 30)
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Writes to the screen, which may be gone: a signal or the keyboard then tells so.
  private func write(_ text: String) {
    try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  }
}
