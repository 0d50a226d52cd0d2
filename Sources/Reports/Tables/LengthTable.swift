// SPDX-License-Identifier: Apache-2.0

import Base
import Machine

/// Accuracy, time and memory against the length, for tasks that were trained at several.
enum LengthTable {
  private typealias Cell = ReportTable.Cell

  private struct Family: Hashable {
    let task: String
    let preset: String
    let hasOwnSteps: Bool
  }

  /// A table for each task and preset with more than one length.
  static func all(_ groups: [SeedGroup]) -> [ReportTable] {
    let families = Dictionary(grouping: groups) {
      Family(
        task: $0.conditions.task, preset: $0.conditions.preset,
        hasOwnSteps: $0.conditions.hasOwnSteps)
    }
    return families.values.compactMap(make).sorted { $0.id < $1.id }
  }

  private static func make(_ groups: [SeedGroup]) -> ReportTable? {
    let lengths = Set(groups.map(\.conditions.length)).sorted()
    guard lengths.count > 1, let any = groups.first?.conditions else { return nil }
    var table = ReportTable(
      id: "length-\(any.task)-\(any.preset)" + (any.hasOwnSteps ? "-own-steps" : ""),
      title: "Accuracy against length on \(any.task), \(any.presetName)",
      caption: "Test accuracy in % ± its standard error; ms a step; peak memory in MiB.",
      columns: [.text("model")]
        + lengths.flatMap { length -> [ReportTable.Column] in
          ["accuracy", "ms", "MiB"].map { .number("\($0), \(formatCount(length))") }
        },
      notes: [
        "tasks of another length are other data where expressions or pictures are made to fit",
        "*: settings other than the preset's, see the table of the length; steps: "
          + stepsRange(groups),
      ])
    let models = Dictionary(grouping: groups, by: \.model)
    for (model, rows) in models.sorted(by: { $0.key < $1.key }) {
      table.add([Cell(model)] + lengths.flatMap { cells(rows, $0) })
    }
    return table
  }

  private static func cells(_ rows: [SeedGroup], _ length: Int) -> [Cell] {
    // Of several with other settings the one nearest to the preset, with the longest schedule.
    let own = rows.filter { $0.conditions.length == length }
      .min { ($0.deviations.count, -$0.steps) < ($1.deviations.count, -$1.steps) }
    guard let own else { return [.empty, .empty, .empty] }
    let accuracy = Cell(own.accuracy * 100, decimals: 1)
    let mark = own.deviations.isEmpty ? "" : " *"
    return [
      Cell(
        accuracy.text + " ± " + Cell(own.error * 100, decimals: 1).text + mark,
        value: accuracy.value),
      Cell(1000 / own.stepsPerSecond, decimals: 0),
      Cell(Double(own.peakResidentBytes) / 1_048_576, decimals: 0),
    ]
  }

  private static func stepsRange(_ groups: [SeedGroup]) -> String {
    let steps = groups.map(\.steps)
    let (least, most) = (steps.min() ?? 0, steps.max() ?? 0)
    return least == most ? formatCount(least) : "\(formatCount(least)) to \(formatCount(most))"
  }
}
