// SPDX-License-Identifier: Apache-2.0

import Base

/// The three claims of Greenformers, each with what was measured of it and a verdict.
///
/// Source: Cahyawijaya, "Greenformers" (2021), arXiv 2108.10808.
struct GreenformersClaims {
  private typealias Cell = ReportTable.Cell

  /// The length of the first claim.
  private static let claimed = 512
  /// A crossing within a factor of √2 of it is taken to be there.
  private static let factor = 2.0.squareRoot()

  private let series: [GreenformersSeries]
  private let log: GreenformersLog
  private let folder: String

  init(_ series: [GreenformersSeries], _ log: GreenformersLog, folder: String) {
    (self.series, self.log, self.folder) = (series, log, folder)
  }

  /// The verdicts.
  var table: ReportTable {
    var table = ReportTable(
      id: "greenformers-claims", title: "Greenformers' claims", caption: "",
      columns: [.text("claim"), .text("of"), .text("verdict"), .text("measured")],
      notes: [
        """
        claims of arXiv 2108.10808: (1) the low-rank transformer is better up to 512 tokens, Linformer from \
        there on; (2) the low-rank transformer suits devices by its size; (3) it makes the development of \
        BERT-base 30 % cheaper
        """,
        """
        a crossing within a factor of √2 of 512 tokens counts as being there; models of random weights, \
        so of time and size alone, not of accuracy
        """,
      ])
    for row in crossings + sizes + savings { table.add(row) }
    return table
  }

  // MARK: Low rank up to 512 tokens, Linformer from there on

  private var crossings: [[ReportTable.Cell]] {
    series.flatMap { series in
      GreenformersSeries.Measure.all.compactMap { measure -> [Cell]? in
        let pairs = series.names(of: "linformer").flatMap { name in
          series.names(of: "lowrank").compactMap { other in
            series.crossing(name, before: other, measure).map { (name, other, $0) }
          }
        }
        guard !pairs.isEmpty else { return nil }
        return [
          Cell("1: low rank to 512, then Linformer"),
          Cell("\(measure.name), E \(series.width)"), Cell(verdict(pairs.map(\.2))),
          Cell(
            pairs.map { "\($0.0) before \($0.1): \($0.2.text)" }.joined(separator: "; ")),
        ]
      }
    }
  }

  /// What crossings say, alike or not.
  private func verdict(_ crossings: [Crossing]) -> String {
    let words = crossings.map { crossing -> String in
      let claimed = Double(Self.claimed)
      switch crossing {
      case .from(let length):
        if Double(length) < claimed / Self.factor { return "earlier" }
        return Double(length) > claimed * Self.factor ? "later" : "holds"
      case .always(let length): return Double(length) < claimed ? "earlier" : "unknown"
      case .notUpTo(let length):
        return Double(length) < claimed * Self.factor ? "unknown" : "later or never"
      }
    }.distinct
    return words.count == 1 ? words[0] : "depends: " + words.joined(separator: ", ")
  }

  // MARK: Low rank fits devices

  private var sizes: [[ReportTable.Cell]] {
    series.compactMap { series in
      guard let length = series.lengths.min(by: { distance($0) < distance($1) }),
        let whole = series.fileBytes("transformer", length)
      else { return nil }
      let sizes = { (model: String) in
        series.names(of: model).compactMap { name in
          series.fileBytes(name, length).map { (name: name, bytes: $0) }
        }
      }
      let narrow = sizes("lowrank")
      let others = sizes("linformer") + [("transformer", whole)]
      guard let largest = narrow.map(\.bytes).max(), let least = others.map(\.bytes).min() else {
        return nil
      }
      let parts = (narrow + others).map { "\($0.name) \(formatBytes($0.bytes))" }
      return [
        Cell("2: low rank for devices"),
        Cell("weight file at \(formatCount(length)) tokens, E \(series.width)"),
        Cell(largest < least ? "holds" : "does not hold"),
        Cell(parts.joined(separator: "; ")),
      ]
    }
  }

  private func distance(_ length: Int) -> Int { abs(length - Self.claimed) }

  // MARK: BERT-base 30 % cheaper

  private var savings: [[ReportTable.Cell]] {
    guard let efficiency = NarrowEfficiency(log, folder: folder) else { return [] }
    let exact = { (value: Double) in Uncertain(exactly: value) }
    let cost = PretrainingCost.bert(
      PretrainingCost.Terms(
        efficiency: efficiency, pue: exact(1), grid: exact(0), price: exact(0), sustained: 1))
    let rank = cost.greatestRank(timeRatio: 0.7)
    return [
      [
        Cell("3: BERT-base 30 % cheaper"),
        Cell("estimate of lra cost bert"),
        Cell(rank.map { "plausible up to rank \($0)" } ?? "does not hold"),
        Cell(
          "\(efficiency.words); if as many steps reach the same quality, which nobody showed"),
      ]
    ]
  }
}
