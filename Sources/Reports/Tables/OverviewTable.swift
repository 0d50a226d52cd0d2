// SPDX-License-Identifier: Apache-2.0

import Foundation
import Tasks

/// Accuracy of every model on every task, in the form of the LRA paper's table 1, for the runs of one
/// preset.
enum OverviewTable {
  private typealias Cell = ReportTable.Cell

  /// The five tasks that the LRA's average is over.
  private static let averaged = ["listops", "text", "retrieval", "image", "pathfinder"]

  /// The tables, one for each preset and kind of schedule under which more than one task was run.
  static func all(_ groups: [SeedGroup]) -> [ReportTable] {
    let families = Dictionary(grouping: groups) {
      "\($0.conditions.preset)\($0.conditions.hasOwnSteps ? "-own-steps" : "")"
    }
    return families.sorted { $0.key < $1.key }.compactMap { make($0.key, $0.value) }
  }

  private static func make(_ family: String, _ groups: [SeedGroup]) -> ReportTable? {
    let chosen = chooseProtocols(groups)
    let tasks = TaskCatalog.all.filter { chosen[$0.name] != nil }
    guard tasks.count > 1, let any = groups.first?.conditions else { return nil }
    var table = ReportTable(
      id: "overview-\(family)",
      title: "All tasks, \(any.presetName)",
      caption: "Test accuracy in %, mean over seeds, ± its standard error.",
      columns: [.text("model")] + tasks.map { .number($0.title) }
        + [.number("average of five"), .number("average of six")],
      notes: tasks.compactMap { task in chosen[task.name].map { "\(task.title): \($0.summary)" } }
        + [
          "average of five: without Path-X, as in the LRA's paper; only where all five were run",
          "*: settings other than the preset's; the table of the task names them",
          "(chance): no better than always answering the commonest class",
        ])
    var rows: [String: [String: SeedGroup]] = [:]
    for group in groups where chosen[group.conditions.task] == group.conditions {
      let best = rows[group.model]?[group.conditions.task]
      if let best, best.deviations.count <= group.deviations.count { continue }
      rows[group.model, default: [:]][group.conditions.task] = group
    }
    for (model, cells) in rows.sorted(by: { $0.key < $1.key }) {
      table.add(
        [Cell(model)] + tasks.map { cell(cells[$0.name]) }
          + [average(cells, averaged), average(cells, averaged + ["pathx"])])
    }
    return table
  }

  /// For each task the protocol with the most models, of the longest sequences.
  private static func chooseProtocols(_ groups: [SeedGroup]) -> [String: RunConditions] {
    let counts = Dictionary(grouping: groups, by: \.conditions).mapValues { rows in
      Set(rows.map(\.model)).count
    }
    return Dictionary(grouping: counts.keys, by: \.task).compactMapValues { protocols in
      protocols.max { (counts[$0] ?? 0, $0.length, $0) < (counts[$1] ?? 0, $1.length, $1) }
    }
  }

  private static func cell(_ group: SeedGroup?) -> Cell {
    guard let group else { return .empty }
    let text = String(format: "%.1f ± %.1f", group.accuracy * 100, group.error * 100)
    let marks =
      (group.escaped < group.count ? " (chance)" : "") + (group.deviations.isEmpty ? "" : " *")
    return Cell(text + marks, value: group.accuracy * 100)
  }

  private static func average(_ cells: [String: SeedGroup], _ tasks: [String]) -> Cell {
    let values = tasks.compactMap { cells[$0]?.accuracy }
    guard values.count == tasks.count else { return .empty }
    return Cell(mean(values) * 100, decimals: 1)
  }
}
