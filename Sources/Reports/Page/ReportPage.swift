// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks

/// The whole report as one page that needs nothing else: no network, no script, no other file.
struct ReportPage {
  private let data: ReportData
  private let tables: [ReportTable]
  private let groups: [SeedGroup]
  private let names: ProtocolNames
  private let date: Date

  /// Runs beyond this number have no curves of their own, so that the page stays light.
  static let mostCurves = 200

  /// - Parameter date: when the report is made, for its heading.
  init(_ data: ReportData, tables: [ReportTable], date: Date) {
    self.data = data
    self.tables = tables
    self.date = date
    groups = SeedGroup.all(data.runs)
    names = ProtocolNames(groups.map(\.conditions))
  }

  /// The file, well-formed as XML too.
  var html: String {
    let head = Markup.element(
      "head", [:],
      [
        .element("meta", ["charset": "utf-8"]),
        .element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        .element("title", [:], text: "Long Range Arena: report"),
        // Nothing in the style needs escaping, and entities would not be understood there.
        Markup(source: "<style>\(PageStyle.css)</style>"),
      ])
    let body = Markup.element("body", [:], introduction + protocols + speed + rest + runPages)
    return "<!DOCTYPE html>\n"
      + Markup.element("html", ["lang": "en"], [head, body]).source + "\n"
  }

  // MARK: Parts

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
    let links = headings.map { id, title in
      Markup.element("li", [:], [.element("a", ["href": "#\(id)"], text: title)])
    }
    return [
      .element("h1", [:], text: "Long Range Arena: accuracy, speed and memory"),
      .element("p", ["class": "soft"], text: facts.joined(separator: "; ") + "."),
      .element(
        "p", [:],
        text: """
          Runs that were made under different protocols stand in different sections: another preset, \
          length, data, schedule, or choice of the checkpoint. What was not measured is empty.
          """),
      .element("nav", ["aria-label": "sections"], [.element("ul", [:], links)]),
    ]
  }

  private var byProtocol: [(conditions: RunConditions, groups: [SeedGroup])] {
    Dictionary(grouping: groups, by: \.conditions).sorted { $0.key < $1.key }
      .map { ($0.key, $0.value) }
  }

  private var headings: [(String, String)] {
    byProtocol.map { ($0.conditions.id("section"), names[$0.conditions]) }
      + (data.speed.isEmpty ? [] : [("speed", "Speed and memory")])
      + (tables.isEmpty ? [] : [("tables", "Tables")])
      + (data.runs.isEmpty ? [] : [("runs-in-detail", "Every run")])
  }

  private var protocols: [Markup] {
    byProtocol.map { conditions, groups in
      let charts = [ReportCharts.tradeOff(groups), ReportCharts.curves(groups)].compactMap(\.self)
      return .element(
        "section", [:],
        [
          .element("h2", ["id": conditions.id("section")], text: names[conditions]),
          .element("p", ["class": "soft"], text: "\(conditions.summary)."),
          .element("div", ["class": "plots"], charts.map(PageParts.figure)),
        ] + confusions(groups))
    }
  }

  private func confusions(_ groups: [SeedGroup]) -> [Markup] {
    let parts = groups.compactMap { group -> Markup? in
      let kept = group.runs.lazy.compactMap { run in data.confusions[run.path].map { (run, $0) } }
      guard let (run, found) = kept.first else { return nil }
      let task = try? TaskCatalog.named(group.conditions.task).make(TaskOptions())
      return PageParts.fold(
        "\(group.model), seed \(run.result?.seed ?? 0)",
        [PageParts.confusion(found, names: task?.classNames ?? [])])
    }
    guard !parts.isEmpty else { return [] }
    return [
      PageParts.fold("Confusion of classes on the test split, by model (\(parts.count))", parts)
    ]
  }

  private var speed: [Markup] {
    let charts = SpeedTable.series(data.speed).flatMap { series in
      [
        ReportCharts.growth(series, id: "step-time", title: "seconds a step", unit: "s a step") {
          $0.stepS
        },
        ReportCharts.growth(series, id: "peak-memory", title: "peak memory, MiB", unit: "MiB") {
          Double($0.peakRssMib)
        },
      ].compactMap(\.self)
    }
    guard !charts.isEmpty else { return [] }
    return [
      .element("h2", ["id": "speed"], text: "Speed and memory"),
      .element("div", ["class": "plots"], charts.map(PageParts.figure)),
    ]
  }

  private var rest: [Markup] {
    let families = Dictionary(grouping: groups) {
      "\($0.conditions.task) \($0.conditions.preset) \($0.conditions.hasOwnSteps)"
    }
    let charts = families.sorted { $0.key < $1.key }.compactMap { ReportCharts.lengths($0.value) }
    return
      (charts.isEmpty
      ? [] : [.element("div", ["class": "plots"], charts.map(PageParts.figure))])
      + (tables.isEmpty ? [] : [.element("h2", ["id": "tables"], text: "Tables")])
      + tables.map { PageParts.table($0) }
  }

  private var runPages: [Markup] {
    guard !data.runs.isEmpty else { return [] }
    let withCurves = data.runs.count <= Self.mostCurves
    let remark =
      withCurves
      ? [] : [Markup.element("p", [:], text: "Curves are left out: there are too many runs.")]
    return [.element("h2", ["id": "runs-in-detail"], text: "Every run")] + remark
      + data.runs.enumerated().map {
        RunPage.make($1, place: $0, withCurves: withCurves)
      }
  }
}
