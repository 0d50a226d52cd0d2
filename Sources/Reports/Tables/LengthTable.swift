// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine

/// Groups of one task that differ in their length alone.
struct LengthLine: Hashable {
  let task: String
  let preset: String
  let hasOwnSteps: Bool
  let model: String
  let deviations: [String]
  let steps: ClosedRange<Int>
  let plannedSteps: Int
  let trainCount: Int
  let testCount: Int
  let validation: String

  private init(_ group: SeedGroup) {
    let conditions = group.conditions
    task = conditions.task
    preset = conditions.preset
    hasOwnSteps = conditions.hasOwnSteps
    model = group.model
    deviations = group.deviations
    steps = group.steps
    plannedSteps = group.plannedSteps
    trainCount = conditions.trainCount
    testCount = conditions.testCount
    validation = conditions.validation
  }

  /// The groups of each task, preset and kind of schedule that were trained at several lengths, a line
  /// for those that differ in nothing else, by length.
  static func families(_ groups: [SeedGroup]) -> [[[SeedGroup]]] {
    let lines = Dictionary(grouping: groups, by: LengthLine.init).mapValues { groups in
      // Data of one length that differ in their seed alone share a place; the first counts.
      Dictionary(grouping: groups, by: \.conditions.length).sorted { $0.key < $1.key }
        .compactMap(\.value.first)
    }.filter { $0.value.count > 1 }
    let families = Dictionary(grouping: lines) {
      "\($0.key.task) \($0.key.preset) \($0.key.hasOwnSteps)"
    }
    return families.sorted { $0.key < $1.key }.map { family in
      family.value.sorted { isBefore($0.key, $1.key) }.map(\.value)
    }
  }

  private static func isBefore(_ a: LengthLine, _ b: LengthLine) -> Bool {
    (a.model, a.deviations.joined(), a.steps.lowerBound)
      < (b.model, b.deviations.joined(), b.steps.lowerBound)
  }
}

/// Accuracy, time and memory against the length, for tasks that were trained at several.
enum LengthTable {
  private typealias Cell = ReportTable.Cell

  /// A table for each task and preset with more than one length.
  static func all(_ groups: [SeedGroup]) -> [ReportTable] {
    LengthLine.families(groups).compactMap(make)
  }

  private static func make(_ lines: [[SeedGroup]]) -> ReportTable? {
    let lengths = Set(lines.joined().map(\.conditions.length)).sorted()
    guard let any = lines.first?.first?.conditions else { return nil }
    var table = ReportTable(
      id: "length-\(any.task)-\(any.preset)" + (any.hasOwnSteps ? "-own-steps" : ""),
      title: "Accuracy against length: \(any.taskTitle), \(any.presetName)",
      caption: "Test accuracy in % ± its standard error; ms a step; peak memory in MiB.",
      columns: [.text("model"), .number("steps")]
        + lengths.flatMap { length -> [ReportTable.Column] in
          ["accuracy", "ms", "MiB"].map { .number("\($0), \(formatCount(length))") }
        } + [.text("settings")],
      notes: [
        "runs of one row differ in their length alone",
        "tasks of another length are other data where expressions or pictures are made to fit",
      ])
    for line in lines {
      guard let first = line.first else { continue }
      table.add(
        [
          Cell(first.model), Cell(first.stepsText, value: Double(first.steps.upperBound)),
        ]
          + lengths.flatMap { length in cells(line.first { $0.conditions.length == length }) }
          + [Cell(first.deviations.joined(separator: "; "))])
    }
    return table
  }

  private static func cells(_ group: SeedGroup?) -> [Cell] {
    guard let group else { return [.empty, .empty, .empty] }
    return [
      Cell(
        String(format: "%.1f ± %.1f", group.accuracy * 100, group.error * 100),
        value: group.accuracy * 100),
      Cell(1000 / group.stepsPerSecond, decimals: 0),
      Cell(Double(group.peakResidentBytes) / 1_048_576, decimals: 0),
    ]
  }
}
