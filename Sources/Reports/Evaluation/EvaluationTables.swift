// SPDX-License-Identifier: Apache-2.0

import Base
import Runs

/// The tables of one evaluation, for people and as CSV.
package enum EvaluationTables {
  /// Precision, recall, F1 and area under the curve of every class, and their means.
  package static func classes(_ scores: [ClassScores]) -> ReportTable {
    var table = ReportTable(
      id: "classes", title: "By class", caption: "",
      columns: [
        .text("class"), .number("examples"), .number("precision, %"), .number("recall, %"),
        .number("F1, %"), .number("AUC, %"),
      ])
    for score in scores + [.mean(scores)] {
      table.add(
        [.init(score.name), .init(Double(score.examples), decimals: 0)]
          + [score.precision, score.recall, score.f1, score.auc].map(percent))
    }
    return table
  }

  /// How often each class was taken for each other one, a row for each right class.
  package static func confusion(_ confusion: Confusion, names: [String]) -> ReportTable {
    var table = ReportTable(
      id: "confusion", title: "Examples by class (row) and answer (column)", caption: "",
      columns: [.text("class")] + names.map { .number($0) })
    for (name, row) in zip(names, confusion.counts) {
      table.add([.init(name)] + row.map { .init(Double($0), decimals: 0) })
    }
    return table
  }

  /// Accuracy by length or another measure.
  package static func accuracy(_ result: AccuracyByMeasure) -> ReportTable {
    let leave = result.ranges.contains { $0.meanBlocks != nil }
    var table = ReportTable(
      id: "by-\(result.measure.prefix { $0 != "," })", title: "Accuracy by \(result.measure)",
      caption: "",
      columns: [
        .number("from"), .number("to"), .number("examples"), .number("accuracy, %"),
        .number("±, %"), .number("commonest class, %"),
      ] + (leave ? [.number("blocks on average")] : []))
    for range in result.ranges {
      table.add(
        [range.from, range.to, range.count].map { .init(Double($0), decimals: 0) }
          + [range.accuracy, range.accuracyStderr, range.majorityShare].map(percent)
          + (leave ? [.init(range.meanBlocks, decimals: 2)] : []))
    }
    return table
  }

  /// The same of each exit of a model, a column each.
  package static func accuracy(byExit results: [AccuracyByMeasure]) -> ReportTable {
    let measure = results.first?.measure ?? ""
    var table = ReportTable(
      id: "exits-by-\(measure.prefix { $0 != "," })", title: "Accuracy by \(measure) and exit",
      caption: "",
      columns: [.number("from"), .number("to"), .number("examples")]
        + results.indices.map { .number("\(counted($0 + 1, "block")), %") })
    for (place, range) in (results.first?.ranges ?? []).enumerated() {
      table.add(
        [range.from, range.to, range.count].map { .init(Double($0), decimals: 0) }
          + results.map { percent($0.ranges[place].accuracy) })
    }
    return table
  }

  private static func percent(_ share: Double?) -> ReportTable.Cell {
    ReportTable.Cell(share.map { $0 * 100 }, decimals: 1)
  }
}
