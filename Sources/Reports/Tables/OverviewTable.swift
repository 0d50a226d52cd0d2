// SPDX-License-Identifier: Apache-2.0

import Foundation
import Tasks

/// Accuracy of every model on every task, in the form of the LRA paper's table 1, for the runs of one
/// preset: ours and the LRA's, and what chance reaches.
enum OverviewTable {
  private typealias Cell = ReportTable.Cell

  /// The five tasks that the LRA's average is over.
  private static let averaged = ["listops", "text", "retrieval", "image", "pathfinder"]

  /// The tables, one for each preset and kind of schedule, what is comparable with publications first.
  static func all(_ groups: [SeedGroup]) -> [ReportTable] {
    let families = Dictionary(grouping: groups) {
      "\($0.conditions.preset)\($0.conditions.hasOwnSteps ? "-own-steps" : "")"
    }
    let isComparable = { (groups: [SeedGroup]) in
      groups.contains { $0.conditions.incomparable == nil } ? 0 : 1
    }
    return families.sorted { (isComparable($0.value), $0.key) < (isComparable($1.value), $1.key) }
      .compactMap { make($0.key, $0.value) }
  }

  private static func make(_ family: String, _ groups: [SeedGroup]) -> ReportTable? {
    let chosen = chooseProtocols(groups)
    let tasks = TaskCatalog.all.filter { chosen[$0.name] != nil }
    guard !tasks.isEmpty, let any = groups.first?.conditions else { return nil }
    var table = ReportTable(
      id: "overview-\(family)",
      title: "Accuracy by model and task, \(any.presetName)",
      caption: "Test accuracy in %, mean over n seeds, ± its standard error; LRA: Tay et al. 2020.",
      columns: [.text("model")]
        + tasks.flatMap { [.number($0.title), .number("LRA, \($0.title)")] }
        + [.number("average of five"), .number("average of six")],
      notes: tasks.compactMap { task in
        chosen[task.name].map { note(task, $0, among: groups) }
      })
    var rows: [String: [String: SeedGroup]] = [:]
    let candidates = SeedGroup.ranked(groups).filter { chosen[$0.conditions.task] == $0.conditions }
    let usual = usualSteps(candidates)
    // Of several the one with the column's steps, then the nearest to the preset, then the best on
    // validation.
    let distance = { (group: SeedGroup) in
      (group.stepsText == usual[group.conditions.task] ? 0 : 1, group.deviations.count)
    }
    for group in candidates {
      let best = rows[group.model]?[group.conditions.task]
      if let best, distance(best) <= distance(group) { continue }
      rows[group.model, default: [:]][group.conditions.task] = group
    }
    table.add(chance(tasks, rows.values.flatMap { Array($0.values) }))
    for (model, cells) in rows.sorted(by: { $0.key < $1.key }) {
      table.add(
        [Cell(model)]
          + tasks.flatMap { [cell(cells[$0.name], usual), published($0, model)] }
          + [average(cells, averaged), average(cells, averaged + ["pathx"])])
    }
    table.notes += marks.filter { mark in
      table.rows.contains { $0.contains { mark.isIn($0) } }
    }.map(\.note)
    if table.rows.contains(where: { $0.suffix(2).contains { $0.value != nil } }) {
      table.notes.append(
        "average of five: without Path-X, as in the LRA's paper; only where all five were run")
    }
    return table
  }

  /// The marks of cells, each explained only where it occurs.
  private static let marks: [(isIn: @Sendable (Cell) -> Bool, note: String)] = [
    (
      { $0.text.hasSuffix(" *") },
      "*: settings other than the preset's, the table of the task names them"
    ),
    (
      { $0.text.contains(" steps") },
      "steps are named where they are not those of most of the column"
    ),
    (
      { $0.text.contains("(chance)") },
      "(chance): no better than always answering the commonest class"
    ),
  ]

  private static func note(
    _ task: TaskEntry, _ conditions: RunConditions, among groups: [SeedGroup]
  ) -> String {
    let steps = groups.filter { $0.conditions == conditions }.map(\.steps)
    let range = (steps.map(\.lowerBound).min() ?? 0)...(steps.map(\.upperBound).max() ?? 0)
    return "\(task.title): \(conditions.summary); \(rangeText(range)) steps"
  }

  /// What always answering the commonest class reaches on each task.
  private static func chance(_ tasks: [TaskEntry], _ groups: [SeedGroup]) -> [Cell] {
    let shares = tasks.map { task in
      groups.first { $0.conditions.task == task.name }.map { $0.majorityShare * 100 }
    }
    return [Cell("chance")] + shares.flatMap { [Cell($0, decimals: 1), .empty] } + [.empty, .empty]
  }

  private static func published(_ task: TaskEntry, _ model: String) -> Cell {
    let figure = task.published.first { $0.model == model && $0.source.hasPrefix("Tay") }
    return Cell(figure?.accuracy, decimals: 2)
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

  /// The steps that most of a task's groups took, in words.
  private static func usualSteps(_ groups: [SeedGroup]) -> [String: String] {
    Dictionary(grouping: groups, by: \.conditions.task).compactMapValues { groups in
      Dictionary(grouping: groups, by: \.stepsText)
        .max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }?.key
    }
  }

  private static func cell(_ group: SeedGroup?, _ usual: [String: String]) -> Cell {
    guard let group else { return .empty }
    let text = String(format: "%.1f ± %.1f", group.accuracy * 100, group.error * 100)
    let left =
      switch group.escaped {
      case group.count: ""
      case 0: " (chance)"
      default: " (\(group.escaped) of \(group.count) left chance)"
      }
    let seeds = group.count == 1 ? "" : ", n = \(group.count)"
    let isUsual = usual[group.conditions.task] == group.stepsText
    let steps = isUsual ? "" : ", \(group.stepsText) steps"
    let mark = group.deviations.isEmpty ? "" : " *"
    return Cell(text + seeds + steps + left + mark, value: group.accuracy * 100)
  }

  private static func average(_ cells: [String: SeedGroup], _ tasks: [String]) -> Cell {
    let values = tasks.compactMap { cells[$0]?.accuracy }
    guard values.count == tasks.count else { return .empty }
    return Cell(mean(values) * 100, decimals: 1)
  }
}
