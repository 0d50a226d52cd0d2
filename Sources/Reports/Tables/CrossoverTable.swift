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
            Crossing(
              series.points(model, forward: forward, measure.value),
              series.points(other, forward: forward, measure.value))?.text ?? "")
        }
        guard cells.contains(where: { !$0.text.isEmpty }) else { continue }
        table.add([Cell("\(model) before \(other)")] + cells)
      }
      return table.rows.isEmpty ? nil : table
    }
  }
}
