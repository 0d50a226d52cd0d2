// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Every finished run in Markdown, a heading each, which other documents link: `runs.md#NAME`.
enum RunDocument {
  /// The name of the file.
  static let name = "runs.md"

  /// The place of a run in the document, as readers of Markdown make it from the heading.
  static func anchor(_ run: RunRecord) -> String {
    run.name.lowercased().filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }
      .replacingOccurrences(of: " ", with: "-")
  }

  /// The document; nil without a finished run.
  static func markdown(_ runs: [RunRecord]) -> String? {
    let finished = runs.filter { $0.result != nil }
    guard !finished.isEmpty else { return nil }
    return (["# Runs"] + finished.map(section)).joined(separator: "\n\n") + "\n"
  }

  private static func section(_ run: RunRecord) -> String {
    let curve = run.validation.map { point in
      String(format: "%.1f", point.accuracy * 100) + " (\(formatCount(point.step)))"
    }
    let facts =
      RunFacts.result(run)
      + (curve.isEmpty
        ? [] : [("val accuracy, % (step)", curve.joined(separator: ", "))])
      + RunFacts.environment(run)
    let rows = facts.map { name, value in
      "| \(ReportTable.escaped(name)) | \(ReportTable.escaped(value)) |"
    }
    return (["## \(ReportTable.escaped(run.name))", "", "| | |", "|---|---|"] + rows)
      .joined(separator: "\n")
  }
}
