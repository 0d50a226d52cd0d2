// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Models
import Reports

/// The speed and memory of every model at several lengths, kept in a leaderboard's folder.
///
/// Each cell is measured alone, in a process of its own, and only once on a processor.
struct SpeedCells {
  /// Models whose time grows with the square are not measured beyond this length.
  static let longestQuadratic = 4096
  /// Examples a step, steps timed.
  private static let (batch, steps) = (8, 3)

  let folder: LeaderboardFolder
  let models: [String]
  let lengths: [Int]
  let threads: Int

  private struct Cell: Hashable {
    let model: String
    let length: Int
    let forward: Bool
  }

  /// Measures what is not there yet.
  ///
  /// - Parameter hasTime: asked before each cell; the cells that are left wait for the next call.
  /// - Returns: the cells that failed, each with the reason.
  func measure(while hasTime: () -> Bool) throws -> [String] {
    guard let lock = try folder.claim("speed") else {
      printMessage("another process measures speed in \(folder.path)")
      return []
    }
    defer { withExtendedLifetime(lock) {} }
    let known = Set(known())
    let wanted = try cells().filter { !known.contains($0) }
    guard !wanted.isEmpty else { return [] }
    printMessage("measuring speed and memory, one at a time: \(wanted.count)")
    var failures: [String] = []
    let file = try AppendingFile(linesAt: folder.speedFile)
    for cell in wanted {
      if Interrupts.stopRequested || !hasTime() { break }
      let outcome = try ChildProcess.runSelf(arguments(cell))
      let line = try BenchLine(outcome, model: cell.model, length: cell.length)
      if let error = line.error {
        failures.append("speed of \(cell.model) at \(cell.length): \(error)")
      } else {
        try file.append(Array("\(line.json)\n".utf8))
      }
    }
    return failures
  }

  private func cells() throws -> [Cell] {
    try lengths.flatMap { length in
      try models.flatMap { model -> [Cell] in
        let cost = try VariantCatalog.named(model).about.cost
        guard length <= Self.longestQuadratic || cost != .quadratic else { return [] }
        return [false, true].map { Cell(model: model, length: length, forward: $0) }
      }
    }
  }

  private func known() -> [Cell] {
    SpeedLog(folder.speedFile).results
      .filter {
        ($0.batch, $0.threads, $0.processor) == (Self.batch, threads, RunEnvironment.cpuModel)
      }
      .map { Cell(model: $0.model, length: $0.length, forward: $0.forward) }
  }

  private func arguments(_ cell: Cell) -> [String] {
    [
      "bench", "--cell", "--model", cell.model, "--length", "\(cell.length)", "--batch",
      "\(Self.batch)", "--steps", "\(Self.steps)", "--threads", "\(threads)",
    ] + (cell.forward ? ["--forward"] : [])
  }
}
