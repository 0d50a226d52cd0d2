// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks

/// The report as a page that needs no network and no script.
///
/// On top stands accuracy by model and task, then what it costs, then length, speed and the list of runs,
/// folded where there is much. Each run has its place in a second page, `RunsPage`.
struct ReportPage {
  private let data: ReportData
  private let tables: [ReportTable]
  private let groups: [SeedGroup]
  private let names: ProtocolNames
  private let charts: ReportCharts
  private let date: Date

  /// The name of the page's file.
  static let file = "index.html"
  /// Up to this many sections are open from the start; of more only the first.
  private static let mostOpen = 2

  /// - Parameter date: when the report is made, for its heading.
  init(_ data: ReportData, tables: [ReportTable], date: Date) {
    self.data = data
    self.tables = tables
    self.date = date
    groups = SeedGroup.all(data.runs)
    names = ProtocolNames(groups)
    charts = ReportCharts(
      styles: SeriesPalette(Self.models(groups) + data.speed.map(\.model)))
  }

  /// The file, well-formed as XML too.
  var html: String {
    Page.html(
      title: "Long Range Arena: report",
      introduction + overview + contents + sections.map(\.markup) + remarks)
  }

  /// What the plots show in numbers.
  var chartTables: [ReportTable] {
    (protocols.flatMap { protocolCharts($0.groups) } + lengthCharts + speedCharts).map(\.table)
  }

  // MARK: Parts

  private struct Section {
    let id: String
    let title: String
    let markup: Markup
  }

  private func tables(_ prefixes: String...) -> [ReportTable] {
    tables.filter { table in prefixes.contains { table.id.hasPrefix("\($0)-") } }
  }

  private var introduction: [Markup] {
    let machines = Set(
      data.runs.compactMap { $0.environment.map { "\($0.cpu), \($0.cores) cores" } })
    let finished = data.runs.count { $0.result != nil }
    let facts =
      [
        "Made \(date.formatted(.iso8601.year().month().day()))",
        "finished runs: \(formatCount(finished))",
        "speed measurements: \(formatCount(data.speed.count))",
      ]
      + (machines.isEmpty
        ? [] : ["machines of the runs: \(machines.sorted().joined(separator: "; "))"])
    return [
      .element("h1", [:], text: "Long Range Arena: accuracy, speed and memory"),
      .element("p", ["class": "soft"], text: facts.joined(separator: "; ") + "."),
    ]
  }

  private var contents: [Markup] {
    let links = sections.map { section in
      Markup.element("li", [:], [.element("a", ["href": "#\(section.id)"], text: section.title)])
    }
    return [.element("nav", ["aria-label": "sections"], [.element("ul", [:], links)])]
  }

  private var overview: [Markup] { tables("overview").map { PageParts.table($0, heading: "h2") } }

  private var sections: [Section] {
    let isOpen = { (place: Int) in place == 0 || protocols.count <= Self.mostOpen }
    let accuracy = protocols.enumerated().map { place, each in
      section(
        each.conditions.id("section"), names[each.conditions], isOpen: isOpen(place),
        plots(protocolCharts(each.groups))
          + tables.filter { $0.id == each.conditions.id("accuracy") }.map {
            PageParts.table($0, heading: nil)
          } + tables(each.conditions.id("sweep")).map(table) + confusions(each.groups))
    }
    let others: [(String, String, [Markup])] = [
      ("energy", "Energy of training", tables.filter { $0.id == "energy" }.map(table)),
      ("length", "Accuracy against length", plots(lengthCharts) + tables("length").map(table)),
      (
        "speed", "Speed and memory",
        plots(speedCharts)
          + tables("training-speed", "inference-speed", "memory", "work", "crossover").map(table)
      ),
      ("peers", "Beside PyTorch", tables("peers").map(table)),
      ("ladder", "Methods on a ladder", tables("ladder").map(table)),
      (
        "runs", "All runs",
        tables.filter { $0.id == "runs" }.map { table in
          PageParts.table(table, heading: nil, links: RunsPage.links(data.runs))
        }
      ),
    ]
    return accuracy
      + others.filter { !$0.2.isEmpty }.map { id, title, parts in
        section("section-\(id)", title, isOpen: protocols.isEmpty, parts)
      }
  }

  private func section(
    _ id: String, _ title: String, isOpen: Bool, _ parts: [Markup]
  ) -> Section {
    Section(id: id, title: title, markup: PageParts.section(id, title, isOpen: isOpen, parts))
  }

  private func table(_ table: ReportTable) -> Markup { PageParts.table(table) }

  private func plots(_ charts: [Chart]) -> [Markup] {
    charts.isEmpty
      ? []
      : [.element("div", ["class": "plots"], charts.map { PageParts.figure($0, hasNumbers: true) })]
  }

  private var protocols: [(conditions: RunConditions, groups: [SeedGroup])] {
    Self.protocols(groups)
  }

  /// The models in the order in which the page has them.
  private static func models(_ groups: [SeedGroup]) -> [String] {
    protocols(groups).flatMap { SeedGroup.ranked($0.groups).map(\.model) }
  }

  private static func protocols(
    _ groups: [SeedGroup]
  ) -> [(conditions: RunConditions, groups: [SeedGroup])] {
    Dictionary(grouping: groups, by: \.conditions).sorted { $0.key < $1.key }
      .map { ($0.key, $0.value) }
  }

  private func protocolCharts(_ groups: [SeedGroup]) -> [Chart] {
    [charts.tradeOff(groups), charts.curves(groups)].compactMap(\.self)
      + SweepChart.all(groups, charts.styles)
  }

  private var lengthCharts: [Chart] { LengthLine.families(groups).compactMap(charts.lengths) }

  private var speedCharts: [Chart] {
    SpeedTable.series(data.speed).flatMap { series in
      [
        charts.growth(series, id: "step-time", title: "seconds a step", unit: "s a step") {
          $0.stepS
        },
        charts.growth(series, id: "peak-memory", title: "peak memory, MiB", unit: "MiB") {
          Double($0.peakRssMib)
        },
      ].compactMap(\.self)
    }
  }

  private func confusions(_ groups: [SeedGroup]) -> [Markup] {
    let ranked = SeedGroup.ranked(groups)
    let parts = zip(ranked, ReportCharts.names(ranked)).compactMap { group, name -> Markup? in
      let kept = group.runs.lazy.compactMap { run in data.confusions[run.path].map { (run, $0) } }
      guard let (run, found) = kept.first else { return nil }
      let task = try? TaskCatalog.named(group.conditions.task).make(TaskOptions())
      return PageParts.confusion(
        found, names: task?.classNames ?? [],
        title: "\(name), seed \(run.result?.seed ?? 0)")
    }
    guard !parts.isEmpty else { return [] }
    return [
      .element("h3", [:], text: "Confusion of classes on the test split"),
      .element("div", ["class": "matrices"], parts),
    ]
  }

  private var remarks: [Markup] {
    guard !data.problems.isEmpty else { return [] }
    return [
      .element("h2", ["id": "left-out"], text: "Left out"),
      .element(
        "ul", ["class": "notes"], data.problems.map { Markup.element("li", [:], text: $0) }),
    ]
  }
}
