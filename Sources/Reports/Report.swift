// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The report of runs and speed measurements, in files.
///
///     index.html    the page: tables and plots
///     runs.html     every run by itself, with its curves
///     tables.md     the tables in Markdown
///     runs.md       the finished runs in Markdown, a heading each
///     <table>.csv   each table and plot for spreadsheets
///     results.json  tables and problems for programs
package struct Report {
  private let data: ReportData
  private let tables: [ReportTable]

  /// A report of what was read.
  package init(_ data: ReportData) {
    self.data = data
    tables = data.tables + (RunTable.make(data.runs).map { [$0] } ?? [])
  }

  /// The tables in Markdown.
  package var markdown: String { tables.map { $0.markdown() }.joined(separator: "\n") }

  /// The tables for a screen.
  package var text: String { tables.map(\.text).joined(separator: "\n\n") }

  private struct Results: Encodable {
    let tables: [ReportTable]
    let problems: [String]
  }

  /// Writes all files into a folder, which is made when absent; each is replaced in one step.
  ///
  /// - Returns: the page's path.
  /// - Throws: `UserError(.cannotWrite)`.
  package func write(to folder: String) throws -> String {
    try createFolder(folder)
    for file in try files(date: Self.date) {
      try writeAtomically(file.content, to: "\(folder)/\(file.name)")
    }
    return "\(folder)/index.html"
  }

  /// The names and contents of all files.
  package func files(date: Date) throws -> [(name: String, content: [UInt8])] {
    let page = ReportPage(data, tables: tables, date: date)
    let results = try SnakeCaseJSON.encoded(Results(tables: tables, problems: data.problems))
    let runs = RunDocument.markdown(data.runs).map { [(RunDocument.name, Array($0.utf8))] } ?? []
    return [
      (ReportPage.file, Array(page.html.utf8)),
      (RunsPage.file, Array(RunsPage.html(data.runs).utf8)), ("tables.md", Array(markdown.utf8)),
    ] + runs
      + (tables + page.chartTables).map { ("\($0.id).csv", Array($0.csv.utf8)) }
      + [("results.json", results)]
  }

  /// Now, or `$SOURCE_DATE_EPOCH`, so that a report can be made again byte by byte.
  private static var date: Date {
    let epoch = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap(Double.init)
    return epoch.map(Date.init(timeIntervalSince1970:)) ?? Date()
  }
}
