// SPDX-License-Identifier: Apache-2.0

import Base
import Machine

/// The finished runs, one a row.
enum RunTable {
  private typealias Cell = ReportTable.Cell

  /// The table; nil without a finished run.
  static func make(_ runs: [RunRecord]) -> ReportTable? {
    var table = ReportTable(
      id: "runs", title: "All finished runs", caption: "",
      columns: [
        .text("run"), .text("task"), .text("model"), .text("preset"), .number("seed"),
        .number("steps"), .number("val accuracy, %"), .number("test accuracy, %"), .number("±"),
        .number("weights"),
        .number("training, min"), .number("steps/s"), .number("peak, MiB"), .text("changed"),
      ])
    for run in runs {
      guard let result = run.result else { continue }
      table.add([
        Cell(run.name), Cell(result.task), Cell(result.model), Cell(result.preset),
        Cell("\(result.seed)", value: Double(result.seed)),
        Cell(formatCount(result.steps), value: Double(result.steps)),
        Cell(run.validationAccuracy.map { $0 * 100 }, decimals: 1),
        Cell(result.test.accuracy * 100, decimals: 1), Cell(result.test.error * 100, decimals: 1),
        Cell(formatCount(result.parameters), value: Double(result.parameters)),
        Cell(result.trainingSeconds / 60, decimals: 1), Cell(result.stepsPerSecond, decimals: 2),
        Cell(Double(result.peakResidentBytes) / 1_048_576, decimals: 0),
        Cell(run.deviations.joined(separator: " ")),
      ])
    }
    return table.rows.isEmpty ? nil : table
  }
}
