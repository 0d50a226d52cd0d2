// SPDX-License-Identifier: Apache-2.0

/// The runs of a report one by one, in a page of their own: what was asked, where each ran, what came out,
/// and its curves.
enum RunsPage {
  /// The name of the page's file.
  static let file = "runs.html"

  /// Runs beyond this number have no curves, so that the page stays light.
  private static let mostCurves = 200

  /// The file, well-formed as XML too.
  static func html(_ runs: [RunRecord]) -> String {
    let withCurves = runs.count <= mostCurves
    let remark =
      withCurves
      ? [] : [Markup.element("p", [:], text: "Curves are left out: there are too many runs.")]
    let back = Markup.element(
      "p", [:], [.element("a", ["href": ReportPage.file], text: "The whole report")])
    return Page.html(
      title: "Long Range Arena: every run",
      [.element("h1", [:], text: "Every run"), back] + remark
        + runs.enumerated().map { section($1, place: $0, withCurves: withCurves) })
  }

  /// The place of each run in the page, by its name; of runs with one name, that of the first.
  static func links(_ runs: [RunRecord]) -> [String: String] {
    Dictionary(
      runs.enumerated().map { ($1.name, "\(file)#\(id($0))") },
      uniquingKeysWith: { first, _ in first })
  }

  private static func id(_ place: Int) -> String { "run-\(place)" }

  private static func section(_ run: RunRecord, place: Int, withCurves: Bool) -> Markup {
    let charts = withCurves ? ReportCharts.run(run, id: id(place)) : []
    let plots =
      charts.isEmpty
      ? []
      : [
        Markup.element(
          "div", ["class": "plots"], charts.map { PageParts.figure($0, hasNumbers: false) })
      ]
    return PageParts.fold(
      RunFacts.title(run), id: id(place),
      [PageParts.facts(RunFacts.result(run))] + plots + [
        PageParts.fold("environment", [PageParts.facts(RunFacts.environment(run))]),
        PageParts.fold("settings", [PageParts.facts(RunFacts.settings(run))]),
      ])
  }
}
