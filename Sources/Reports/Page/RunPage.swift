// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Runs

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
      title(run), id: id(place),
      [PageParts.facts(result(run))] + plots + [
        PageParts.fold("environment", [PageParts.facts(environment(run))]),
        PageParts.fold("settings", [PageParts.facts(settings(run))]),
      ])
  }

  private static func title(_ run: RunRecord) -> String {
    let outcome =
      run.result?.test.formattedAccuracy ?? run.status?.rawValue ?? "no result"
    return "\(run.name): \(outcome)"
  }

  private static func result(_ run: RunRecord) -> [(String, String)] {
    guard let result = run.result else { return [("status", run.status?.rawValue ?? "unknown")] }
    let accuracy = { (evaluation: Evaluation) in
      evaluation.formattedAccuracy + ", loss " + formatNumber("%.4f", evaluation.loss)
    }
    return [
      ("test, best checkpoint", accuracy(result.testBest)),
      ("test, last checkpoint", accuracy(result.testLast)),
      ("chance", formatPercent(result.majorityShare) + (result.remark.map { "; \($0)" } ?? "")),
      (
        "steps",
        "\(formatCount(result.steps)) of \(formatCount(result.plannedSteps)) (\(result.ended))"
      ),
      (
        "training",
        "\(formatDuration(seconds: result.trainingSeconds)), "
          + String(format: "%.2f steps/s, ", result.stepsPerSecond) + "threads: \(result.threads)"
      ),
      ("peak memory", formatBytes(result.peakResidentBytes)),
      ("weights", formatCount(result.parameters)), ("data", result.dataSource),
      ("data hash", result.dataHash),
    ] + run.deviations.map { ("changed", $0) }
  }

  private static func environment(_ run: RunRecord) -> [(String, String)] {
    guard let machine = run.environment else { return [("environment", "not recorded")] }
    return [
      ("processor", "\(machine.cpu), \(machine.cores) cores"),
      ("memory", formatBytes(machine.memoryBytes)), ("Swift", machine.swift),
      ("started", machine.started), ("commit", machine.commit ?? "unknown"),
      ("command", machine.command.dropFirst().joined(separator: " ")),
    ]
  }

  /// Changed values first.
  private static func settings(_ run: RunRecord) -> [(String, String)] {
    let changed = Set(run.changedKeys)
    let all = run.settings.entries.map { ($0.key, $0.value.description) }
    return all.filter { changed.contains($0.0) }.map { ($0.0 + " (changed)", $0.1) }
      + all.filter { !changed.contains($0.0) }
  }
}
