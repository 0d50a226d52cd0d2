// SPDX-License-Identifier: Apache-2.0

/// One run's part of the page: what was asked, where it ran, what came out, and its curves.
enum RunPage {
  /// The place of a run in the page.
  static func id(_ place: Int) -> String { "run-\(place)" }

  /// The part.
  ///
  /// - Parameter withCurves: whether curves are drawn, which takes most of the room.
  static func make(_ run: RunRecord, place: Int, withCurves: Bool) -> Markup {
    let charts = withCurves ? ReportCharts.run(run, id: id(place)) : []
    let plots =
      charts.isEmpty
      ? [] : [Markup.element("div", ["class": "plots"], charts.map(PageParts.figure))]
    return PageParts.fold(
      RunFacts.title(run), id: id(place),
      [PageParts.facts(RunFacts.result(run))] + plots + [
        PageParts.fold("environment", [PageParts.facts(RunFacts.environment(run))]),
        PageParts.fold("settings", [PageParts.facts(RunFacts.settings(run))]),
      ])
  }
}
