// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Training

/// Speed and memory of all models at several lengths, in the form of the LRA paper's table 2, its
/// figures beside ours.
enum SpeedTable {
  private typealias Cell = ReportTable.Cell

  /// What was measured on one processor with one size of model, in one number of threads.
  struct Series {
    let name: String
    let id: String
    let results: [BenchmarkResult]

    /// The processor; nil where it was not noted.
    var processor: String? { results.first?.processor }
    var lengths: [Int] { Set(results.map(\.length)).sorted() }
    /// The models, in the order in which they were measured.
    var models: [String] { results.map(\.model).distinct }

    func result(_ model: String, _ length: Int, forward: Bool) -> BenchmarkResult? {
      results.first { $0.model == model && $0.length == length && $0.forward == forward }
    }

    func points(
      _ model: String, forward: Bool, _ value: (BenchmarkResult) -> Double
    ) -> [(length: Int, value: Double)] {
      results.filter { $0.model == model && $0.forward == forward }
        .map { ($0.length, value($0)) }
    }
  }

  /// Lengths from which on growth is fitted where there are two: below, other things than the length
  /// take most of the time.
  private static let growthFrom = 1024

  private static func growth(_ points: [(length: Int, value: Double)]) -> GrowthFit? {
    GrowthFit(points.filter { $0.length >= growthFrom }) ?? GrowthFit(points)
  }

  /// The measurements by processor and size of model.
  static func series(_ results: [BenchmarkResult]) -> [Series] {
    let groups = Dictionary(grouping: results, by: name)
    return results.map(name).distinct.compactMap { name in
      guard let own = groups[name], let first = own.first else { return nil }
      return Series(name: name, id: id(first), results: own)
    }
  }

  private static func name(_ result: BenchmarkResult) -> String {
    let processor = result.processor.map { "\($0); " } ?? ""
    return """
      \(processor)E \(result.emb), H \(result.heads), \(result.layers) layers, F \(result.mlp), batch \
      \(result.batch)\(result.towers == 1 ? "" : " pairs"), \(result.threads) \
      \(result.threads == 1 ? "thread" : "threads")\(result.variation.map { ", \($0)" } ?? "")
      """
  }

  private static func id(_ result: BenchmarkResult) -> String {
    let sizes =
      "e\(result.emb)-h\(result.heads)-l\(result.layers)-f\(result.mlp)-b\(result.batch)"
      + "-t\(result.threads)" + (result.towers == 1 ? "" : "-pairs")
    return ReportTable.identifier(
      [sizes, result.processor, result.variation].compactMap(\.self).joined(separator: "-"))
  }

  /// Training speed, inference speed, memory and work of each series.
  static func all(_ results: [BenchmarkResult]) -> [ReportTable] {
    series(results).flatMap { series in
      [
        speed(series, forward: false), speed(series, forward: true), memory(series), work(series),
      ].filter { !$0.rows.isEmpty }
    }
  }

  private static func speed(_ series: Series, forward: Bool) -> ReportTable {
    let lengths = series.lengths
    // Without the yardstick there is no ratio that the LRA's could stand beside.
    let isRelative = series.models.contains("transformer")
    let compared = forward || !isRelative ? [] : lengths.filter(PublishedSpeed.lengths.contains)
    var table = ReportTable(
      id: "\(forward ? "inference" : "training")-speed-\(series.id)",
      title: "\(forward ? "Inference" : "Training") steps/s"
        + (isRelative ? ", relative to the transformer" : ""),
      caption: series.name,
      columns: [.text("model")] + lengths.map { .number(formatCount($0)) }
        + [.number("time grows with L^")] + compared.map { .number("LRA \(formatCount($0))") },
      notes: (isRelative
        ? ["in brackets: steps/s divided by the transformer's at the same length"] : [])
        + ["growth: fitted from \(formatCount(growthFrom)) tokens on"]
        + (compared.isEmpty ? [] : ["LRA: the same ratio in \(PublishedSpeed.source)"]))
    for model in series.models {
      let cells = lengths.map { length -> Cell in
        guard let own = series.result(model, length, forward: forward) else { return .empty }
        let yardstick = series.result("transformer", length, forward: forward)
        let ratio = yardstick.map { String(format: " (%.2f)", $0.stepS / own.stepS) } ?? ""
        return Cell(steps(1 / own.stepS) + ratio, value: 1 / own.stepS)
      }
      guard cells.contains(where: { !$0.text.isEmpty }) else { continue }
      let fit = growth(series.points(model, forward: forward) { $0.stepS })
      table.add(
        [Cell(model)] + cells + [Cell(fit?.exponent, decimals: 2)]
          + compared.map { Cell(PublishedSpeed.ratio(model, at: $0), decimals: 2) })
    }
    return table
  }

  private static func memory(_ series: Series) -> ReportTable {
    let lengths = series.lengths
    let compared = lengths.filter(PublishedSpeed.lengths.contains)
    var table = ReportTable(
      id: "memory-\(series.id)", title: "Peak memory of training, MiB", caption: series.name,
      columns: [.text("model")] + lengths.map { .number(formatCount($0)) }
        + [.number("tensors grow with L^")]
        + compared.map { .number("LRA \(formatCount($0)), GB") },
      notes: ["resident memory of the whole process; the growth is that of the buffers alone"]
        + (compared.isEmpty ? [] : ["LRA: each device's, in \(PublishedSpeed.source)"]))
    for model in series.models {
      let cells = lengths.map {
        Cell(
          series.result(model, $0, forward: false).map { Double($0.peakRssMib) }, decimals: 0)
      }
      guard cells.contains(where: { !$0.text.isEmpty }) else { continue }
      let fit = growth(series.points(model, forward: false) { $0.peakTensorMib })
      table.add(
        [Cell(model)] + cells + [Cell(fit?.exponent, decimals: 2)]
          + compared.map { Cell(PublishedSpeed.gigabytes(model, at: $0), decimals: 2) })
    }
    return table
  }

  private static func work(_ series: Series) -> ReportTable {
    let lengths = series.lengths
    var table = ReportTable(
      id: "work-\(series.id)", title: "Work of a training step, and share of sgemm's peak",
      caption: series.name,
      columns: [.text("model"), .number("weights")]
        + lengths.flatMap {
          [.number("GFLOP, \(formatCount($0))"), .number("of peak, \(formatCount($0))")]
        },
      notes: ["operations as the kernels count them; weights at the greatest length"])
    for model in series.models {
      let own = lengths.map { series.result(model, $0, forward: false) }
      guard let last = own.compactMap(\.self).last else { continue }
      table.add(
        [Cell(model), Cell(formatCount(last.params), value: Double(last.params))]
          + own.flatMap { result in
            [
              Cell(result.map { Double($0.flops) / 1e9 }, decimals: 1),
              Cell(result?.mfu.map { $0 * 100 }, decimals: 0, suffix: " %"),
            ]
          })
    }
    return table
  }

  private static func steps(_ value: Double) -> String {
    String(format: value < 10 ? "%.2f" : "%.1f", value)
  }
}
