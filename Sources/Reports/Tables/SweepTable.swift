// SPDX-License-Identifier: Apache-2.0

import Base

/// What values of settings lead to, ordered by validation accuracy, by which one may choose.
enum SweepTable {
  private typealias Cell = ReportTable.Cell

  /// A table for each sweep.
  static func all(_ groups: [SeedGroup]) -> [ReportTable] { Sweep.all(groups).map(make) }

  private static func make(_ sweep: Sweep) -> ReportTable {
    let conditions = sweep.conditions
    var table = ReportTable(
      id: conditions.id("sweep") + "-\(ReportTable.identifier(sweep.model))"
        + (conditions.hasOwnSteps ? "-n\(sweep.groups.first?.plannedSteps ?? 0)" : ""),
      title: "\(sweep.keys.joined(separator: ", ")) of \(sweep.model) on \(conditions.taskTitle)",
      caption: "Accuracy in %, of the best checkpoint on val; \(conditions.summary).",
      columns: sweep.keys.map { .text($0) } + [
        .number("n"), .number("val accuracy"), .number("test accuracy"), .number("±"),
        .text("choice"),
      ],
      notes: [
        "chosen by val accuracy; a test accuracy of another row is no reason to choose it",
        "±: standard error of the test accuracy, seeds included where n > 1",
      ]
        + sweep.open.map {
          "the best \($0) is at the end of the values that were tried: try others beyond it"
        })
    for (place, group) in sweep.groups.enumerated() {
      table.add(
        sweep.keys.map { Cell(Sweep.value($0, group)?.description ?? "") } + [
          Cell(Double(group.count), decimals: 0),
          Cell(group.validationAccuracy.map { $0 * 100 }, decimals: 1),
          Cell(group.accuracy * 100, decimals: 1), Cell(group.error * 100, decimals: 1),
          Cell(place == 0 ? "chosen" : ""),
        ])
    }
    return table
  }
}
