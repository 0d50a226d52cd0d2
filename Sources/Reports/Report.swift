import Base
import Foundation
import Training

/// The report of runs and speed measurements, in files.
///
///     index.html    one page with everything
///     tables.md     the tables in Markdown
///     <table>.csv   each table for spreadsheets
///     results.json  tables and problems for programs
public struct Report {
  private let data: ReportData
  private let tables: [ReportTable]

  /// A report of what was read.
  public init(_ data: ReportData) {
    self.data = data
    tables = data.tables + (RunTable.make(data.runs).map { [$0] } ?? [])
  }

  /// The tables in Markdown.
  public var markdown: String { tables.map { $0.markdown() }.joined(separator: "\n") }

  private struct Results: Encodable {
    let tables: [ReportTable]
    let problems: [String]
  }

  /// Writes all files into a folder, which is made when absent; each is replaced in one step.
  ///
  /// - Returns: the page's path.
  /// - Throws: `UserError(.cannotWrite)`.
  public func write(to folder: String) throws -> String {
    try FileSystem.makeFolder(folder)
    let page = "\(folder)/index.html"
    try write(ReportPage(data, tables: tables, date: Self.date).html, to: page)
    try write(markdown, to: "\(folder)/tables.md")
    for table in tables { try write(table.csv, to: "\(folder)/\(table.id).csv") }
    let results = Results(tables: tables, problems: data.problems)
    try writeAtomically(SnakeCaseJSON.encoded(results), to: "\(folder)/results.json")
    return page
  }

  private func write(_ text: String, to path: String) throws {
    try writeAtomically(Array(text.utf8), to: path)
  }

  /// Now, or `$SOURCE_DATE_EPOCH`, so that a report can be made again byte by byte.
  private static var date: Date {
    let epoch = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap(Double.init)
    return epoch.map(Date.init(timeIntervalSince1970:)) ?? Date()
  }
}
