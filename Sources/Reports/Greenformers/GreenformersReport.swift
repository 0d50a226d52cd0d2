// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine

/// The report of `lra report greenformers`, in files: `index.html`, `tables.md`, a CSV for each table and
/// plot, `results.json`.
package struct GreenformersReport {
  private let log: GreenformersLog
  private let machine: String
  private let tables: [ReportTable]
  private let charts: [Chart]

  private struct Results: Encodable {
    let tables: [ReportTable]
    let problems: [String]
  }

  /// - Parameters:
  ///   - log: the measurements.
  ///   - terms: what energy amounts to.
  ///   - folder: where the log lies, to be named.
  package init(_ log: GreenformersLog, _ terms: EnergyTerms, folder: String) {
    self.log = log
    let all = GreenformersTables(log, terms, folder: folder)
    tables = all.all
    machine = all.machine
    charts = GreenformersSeries.all(log).flatMap(Self.charts)
  }

  /// The tables for a screen.
  package var text: String { tables.map(\.text).joined(separator: "\n\n") }

  /// Writes all files into a folder, which is made when absent.
  ///
  /// - Returns: the page's path.
  /// - Throws: `UserError(.cannotWrite)`.
  package func write(to folder: String) throws -> String {
    try createFolder(folder)
    let results = try SnakeCaseJSON.encoded(Results(tables: tables, problems: log.problems))
    let markdown = tables.map { $0.markdown() }.joined(separator: "\n")
    let files =
      [
        ("index.html", Array(html.utf8)), ("tables.md", Array(markdown.utf8)),
        ("results.json", results),
      ] + (tables + charts.map(\.table)).map { ("\($0.id).csv", Array($0.csv.utf8)) }
    for (name, content) in files { try writeAtomically(content, to: "\(folder)/\(name)") }
    return "\(folder)/index.html"
  }

  private var html: String {
    Page.html(
      title: "Greenformers: low rank and Linformer by length",
      [
        .element("h1", [:], text: "Greenformers: low rank and Linformer by length"),
        .element(
          "p", ["class": "soft"],
          text: "Measured on \(machine); the claims are those of arXiv 2108.10808."),
      ] + tables.prefix(2).map { PageParts.table($0, heading: "h2") } + [
        .element(
          "div", ["class": "plots"], charts.map { PageParts.figure($0, hasNumbers: true) })
      ] + tables.dropFirst(2).map { PageParts.table($0, heading: "h2") })
  }

  /// Time and memory by length, of one width.
  private static func charts(_ series: GreenformersSeries) -> [Chart] {
    let palette = SeriesPalette(series.names)
    return GreenformersSeries.Measure.all.map { measure in
      let lines = series.names.map { name in
        Chart.Series(
          name: name, style: palette[name],
          points: series.points(name, measure).map {
            Chart.Point(x: Double($0.length), y: $0.value)
          })
      }.filter { !$0.points.isEmpty }
      let isTime = !measure.name.hasPrefix("memory")
      let title = isTime ? "seconds a step" : "buffers, MiB"
      return Chart(
        id: ReportTable.identifier("greenformers-\(series.width)-\(measure.name)"),
        title: "\(measure.name), E \(series.width)", caption: "\(series.sizes).",
        x: Axis(
          "length in tokens", unit: "tokens", lines.flatMap { $0.points.map(\.x) },
          isLogarithmic: true),
        y: Axis(
          title, unit: isTime ? "s a step" : "MiB", lines.flatMap { $0.points.map(\.y) },
          isLogarithmic: true), series: lines)
    }.filter { !$0.series.isEmpty }
  }
}
