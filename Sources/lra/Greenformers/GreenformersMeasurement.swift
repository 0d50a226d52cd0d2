// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Machine
import Reports
import Training

/// Measures the cells of Greenformers' questions that are not there yet, each in a process of its own.
struct GreenformersMeasurement {
  /// One cell, once.
  private struct Turn {
    let cell: GreenformersCell
    let round: Int
  }

  /// The folder of `greenformers.jsonl`.
  let folder: String
  /// Cells that are measured in turns.
  let comparisons: [[GreenformersCell]]
  let rounds: Int
  let threads: Int

  /// About how long the steps of a turn are to take together, seconds.
  private static let wanted = 0.5
  /// What a process takes beside its steps: its start, memory for the first step, the yardstick.
  private static let overhead = 1.0
  /// The share of the products' peak that a step reaches.
  private static let efficiency = 0.6

  /// What is there of this processor and number of threads.
  var log: GreenformersLog {
    GreenformersLog(folder: folder, processor: RunEnvironment.cpuModel, threads: threads)
  }

  /// What is left, the cells of a comparison in turns.
  private var turns: [Turn] {
    let log = log
    return comparisons.flatMap { cells in
      (0..<rounds).flatMap { round in cells.map { Turn(cell: $0, round: round) } }
    }.filter { !log.has($0.cell, round: $0.round) }
  }

  /// What is left and about how long it takes.
  var announcement: String {
    let turns = turns
    let total = comparisons.reduce(0) { $0 + $1.count } * rounds
    let speed = measureProductPeak(threads: threads) * 1e9 * Self.efficiency
    let seconds = turns.reduce(0) { $0 + Self.overhead + stepSeconds($1.cell, speed) }
    return """
      measurements      \(formatCount(total)), to do: \(formatCount(turns.count)), one at a time on \
      \(counted(threads, "thread"))
      about             \(formatDuration(seconds: seconds)) at \
      \(formatNumber("%.0f", speed / 1e9)) GFLOP/s, on a machine with nothing else to do
      folder            \(folder)
      """
  }

  /// Seconds of a turn's steps, the two that are not timed included.
  private func stepSeconds(_ cell: GreenformersCell, _ speed: Double) -> Double {
    cell.flops / speed * Double(Self.steps(cell, speed) + 2)
  }

  /// Steps to be timed: enough for a clock, few of long ones.
  private static func steps(_ cell: GreenformersCell, _ speed: Double) -> Int {
    max(3, min(200, Int(wanted * speed / cell.flops)))
  }

  /// Measures what is left.
  ///
  /// - Throws: `UserError`: `.stoppedEarly` where a signal asked for it, `.failed` where a cell failed.
  func run() throws {
    try createFolder(folder)
    let lock = try FileLock("\(folder)/.lock")
    defer { withExtendedLifetime(lock) {} }
    let turns = turns
    guard !turns.isEmpty else { return }
    printMessage(announcement)
    let speed = measureProductPeak(threads: threads) * 1e9 * Self.efficiency
    let file = try AppendingFile(linesAt: "\(folder)/\(GreenformersLog.fileName)")
    var failures: [String] = []
    let start = monotonicSeconds()
    for (place, turn) in turns.enumerated() {
      let cell = turn.cell
      let outcome = try ChildProcess.runSelf(
        cell.arguments(steps: Self.steps(cell, speed), threads: threads))
      try stopIfAsked()
      let line = try BenchLine(outcome, model: cell.model, length: cell.length)
      guard let result = line.result else {
        failures.append("\(cell.name) at \(cell.length), E \(cell.width): \(line.error ?? "")")
        continue
      }
      let record = GreenformersRecord(cell: cell, round: turn.round, result: result)
      try file.append(Array("\(try jsonText(record, oneLine: true))\n".utf8))
      if place % 20 == 19 { tellProgress(place + 1, of: turns.count, since: start) }
    }
    failures.forEach { printMessage("failed: \($0)") }
    if !failures.isEmpty {
      throw UserError(
        .failed, "\(failures.count) of \(turns.count) measurements failed",
        remedy: "the same command tries them again; --draw-only reports the others")
    }
  }

  private func tellProgress(_ done: Int, of all: Int, since start: Double) {
    let left = (monotonicSeconds() - start) / Double(done) * Double(all - done)
    printMessage("\(done) of \(all), about \(formatDuration(seconds: left)) left")
  }

  private func stopIfAsked() throws {
    guard let text = Interrupts.stopText else { return }
    throw UserError(
      .stoppedEarly, "\(text); what was measured is kept in \(folder)",
      remedy: "continue by typing the same command again")
  }
}
