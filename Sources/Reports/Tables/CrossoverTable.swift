// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Training

/// From which length one model beats another in time, memory and size: the question of the
/// Greenformers for Linformer and the Low-Rank Transformer, answered by measurement.
enum CrossoverTable {
  private typealias Cell = ReportTable.Cell

  private static let pairs = [
    ("linformer", "lowrank"), ("linformer", "transformer"), ("lowrank", "transformer"),
  ]

  private static let measures: [(name: String, value: @Sendable (BenchmarkResult) -> Double)] = [
    ("training time", { $0.stepS }), ("inference time", { $0.stepS }),
    ("memory of the buffers", { $0.peakTensorMib }), ("weights", { Double($0.params) }),
  ]

  /// The tables of all series in which both of a pair were measured.
  static func all(_ results: [BenchmarkResult]) -> [ReportTable] {
    SpeedTable.series(results).compactMap { series in
      var table = ReportTable(
        id: "crossover-\(series.id)", title: "From which length it pays", caption: series.name,
        columns: [.text("question")]
          + measures.map { .text($0.name) },
        notes: [
          """
          from: the first measured length from which on it is better at every greater one; between \
          two lengths the crossing is interpolated on logarithmic scales
          """,
          "the question of Cahyawijaya's Greenformers (arXiv 2108.10808), with our sizes",
        ])
      for (model, other) in pairs {
        let cells = measures.map { measure in
          let forward = measure.name.hasPrefix("inference")
          return Cell(
            answer(
              series.points(model, forward: forward, measure.value),
              series.points(other, forward: forward, measure.value)))
        }
        guard cells.contains(where: { !$0.text.isEmpty }) else { continue }
        table.add([Cell("\(model) before \(other)")] + cells)
      }
      return table.rows.isEmpty ? nil : table
    }
  }

  /// Where the first falls below the second for good, in words; empty when fewer than two lengths are
  /// common to both.
  static func answer(
    _ first: [(length: Int, value: Double)], _ second: [(length: Int, value: Double)]
  ) -> String {
    // What was too little to be measured has no ratio.
    let others = Dictionary(second.map { ($0.length, $0.value) }.filter { $0.1 > 0 }) { $1 }
    let common = first.filter { $0.value > 0 }.compactMap { point in
      others[point.length].map { (point.length, log(point.value / $0)) }
    }.sorted { $0.0 < $1.0 }
    guard common.count > 1, let shortest = common.first, let longest = common.last else {
      return ""
    }
    guard longest.1 < 0 else { return "not up to \(formatCount(longest.0))" }
    guard let last = common.lastIndex(where: { $0.1 >= 0 }) else {
      return "from \(formatCount(shortest.0)) or less"
    }
    let (before, after) = (common[last], common[last + 1])
    let share = before.1 / (before.1 - after.1)
    let span = log(Double(after.0) / Double(before.0))
    let crossing = Int((Double(before.0) * exp(share * span)).rounded())
    return "from about \(formatCount(crossing))"
  }
}
