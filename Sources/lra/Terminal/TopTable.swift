// SPDX-License-Identifier: Apache-2.0

import Base
import Reports

/// The table of `lra top`: as many columns as the screen has room for, the most needed ones first.
struct TopTable {
  /// One column.
  private struct Column: Sendable {
    let title: String
    /// Columns with greater numbers give way first.
    let rank: Int
    let text: @Sendable (RunStanding) -> String
  }

  private static let columns = [
    Column(title: "run", rank: 0) { printable($0.name) },
    Column(title: "state", rank: 1) { $0.state.rawValue },
    Column(title: "step", rank: 2) {
      "\(formatCount($0.step))/\($0.steps > 0 ? formatCount($0.steps) : "?")"
    },
    Column(title: "", rank: 10) { bar($0) },
    Column(title: "loss, nats", rank: 6) { $0.loss.map { formatNumber("%.3f", $0) } ?? "-" },
    Column(title: "train", rank: 9) { percent($0.accuracy) },
    Column(title: "val", rank: 3) { percent($0.validation) },
    Column(title: "test", rank: 4) { percent($0.test) },
    Column(title: "steps/s", rank: 8) {
      $0.stepsPerSecond.map { formatNumber("%.2f", $0) } ?? "-"
    },
    Column(title: "to go", rank: 5) { $0.secondsLeft.map(formatDuration) ?? "-" },
    Column(title: "memory", rank: 7) { $0.peakResidentBytes.map(formatBytes) ?? "-" },
  ]

  let standings: [RunStanding]

  /// The lines for a screen; names of runs are cut where even the most needed columns are too wide.
  func lines(width: Int) -> [String] {
    var shown = Self.columns
    var lines = table(shown)
    while shown.count > 3, (lines.map(\.count).max() ?? 0) > width,
      let last = shown.indices.max(by: { shown[$0].rank < shown[$1].rank })
    {
      shown.remove(at: last)
      lines = table(shown)
    }
    return lines.map { String($0.prefix(width)) }
  }

  private func table(_ columns: [Column]) -> [String] {
    let rows = [columns.map(\.title)] + standings.map { run in columns.map { $0.text(run) } }
    return formatTable(rows, leading: 2).split(separator: "\n").map(String.init)
  }

  private static func percent(_ share: Double?) -> String { share.map(formatPercent) ?? "-" }

  private static func bar(_ run: RunStanding) -> String {
    let share = Double(run.step) / Double(max(run.steps, 1))
    let full = min(10, Int((share * 10).rounded(.down)))
    return String(repeating: "#", count: full) + String(repeating: ".", count: 10 - full)
  }
}
