// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// A table of a report, in one form for Markdown, CSV, JSON and HTML.
package struct ReportTable: Codable, Sendable, Equatable {
  /// One cell: what people read, and the number behind it for programs.
  package struct Cell: Codable, Sendable, Equatable {
    /// What is shown; empty where nothing was measured.
    package var text: String
    /// The number, in the column's unit.
    package var value: Double?

    /// A cell of text, with its number if it has one.
    package init(_ text: String, value: Double? = nil) {
      self.text = text
      self.value = value.flatMap { $0.isFinite ? $0 : nil }
    }

    /// A number with a fixed number of decimals; empty for nil and for ratios to nothing.
    package init(_ value: Double?, decimals: Int, suffix: String = "") {
      let value = value.flatMap { $0.isFinite ? $0 : nil }
      text = value.map { String(format: "%.\(decimals)f", $0) + suffix } ?? ""
      self.value = value
    }

    /// A number with two significant digits; empty for nil.
    package init(significant value: Double?) {
      self.init(value.map(formatSignificant) ?? "", value: value)
    }

    /// Nothing was measured.
    package static let empty = Cell("")
  }

  /// One column.
  package struct Column: Codable, Sendable, Equatable {
    /// The heading, with the unit.
    package var title: String
    /// Whether its cells are numbers, set to the right.
    package var isNumeric: Bool

    /// A column of numbers.
    package static func number(_ title: String) -> Column { Column(title: title, isNumeric: true) }
    /// A column of words.
    package static func text(_ title: String) -> Column { Column(title: title, isNumeric: false) }
  }

  /// The name of the table's files and of its place in the page: lower-case letters, digits, hyphens.
  package var id: String
  /// The heading.
  package var title: String
  /// Under which conditions the numbers were made.
  package var caption: String
  /// The columns, the first of which names the row.
  package var columns: [Column]
  /// The rows, each with a cell for every column.
  package var rows: [[Cell]]
  /// What the signs mean, and what to beware of.
  package var notes: [String]

  /// A table without rows.
  package init(
    id: String, title: String, caption: String, columns: [Column], notes: [String] = []
  ) {
    self.id = Self.identifier(id)
    self.title = title
    self.caption = caption
    self.columns = columns
    rows = []
    self.notes = notes
  }

  /// A text as the name of a file and of a place in a page: lower-case letters, digits and hyphens, at
  /// most eighty, those of long texts ending in a hash.
  static func identifier(_ text: String) -> String {
    let allowed = text.lowercased().map { character in
      character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
    }
    guard allowed.count > 80 else { return String(allowed) }
    var hash = FNV1a()
    hash.add(Array(text.utf8))
    return String(allowed.prefix(63)) + "-" + hash.hexadecimal
  }

  /// Adds a row.
  ///
  /// - Precondition: it has a cell for every column.
  package mutating func add(_ row: [Cell]) {
    precondition(row.count == columns.count, "\(id): \(row.count) cells, \(columns.count) columns")
    rows.append(row)
  }
}

extension ReportTable {
  /// The table in Markdown, heading and notes included; empty columns are left out.
  package func markdown(level: Int = 2) -> String {
    let shown = columns.indices.filter { column in
      column == 0 || rows.contains { !$0[column].text.isEmpty }
    }
    let line = { (cells: [String]) in "| " + cells.joined(separator: " | ") + " |" }
    var lines = [String(repeating: "#", count: level) + " " + Self.escaped(title), ""]
    if !caption.isEmpty { lines += [Self.escaped(caption), ""] }
    lines.append(line(shown.map { Self.escaped(columns[$0].title) }))
    lines.append(line(shown.map { columns[$0].isNumeric ? "--:" : "---" }))
    lines += rows.map { row in
      line(shown.map { row[$0].text.isEmpty ? "–" : Self.escaped(row[$0].text) })
    }
    if !notes.isEmpty { lines += [""] + notes.map { "- " + Self.escaped($0) } }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The table for a screen, under its title: columns aligned, signs as they are, empty columns left out,
  /// caption and notes broken into lines.
  package var text: String {
    let shown = columns.indices.filter { column in
      column == 0 || rows.contains { !$0[column].text.isEmpty }
    }
    let cells = rows.map { row in shown.map { row[$0].text.isEmpty ? "-" : row[$0].text } }
    let leading = shown.prefix { !columns[$0].isNumeric }.count
    return
      ([title] + (caption.isEmpty ? [] : [wrapped(caption), ""])
      + [formatTable([shown.map { columns[$0].title }] + cells, leading: leading)]
      + (notes.isEmpty ? [] : [""] + notes.map { wrapped("- " + $0, indent: "  ") })).joined(
        separator: "\n")
  }

  /// The rows as CSV (RFC 4180): headings first, each another; plain numbers of up to ten digits; an
  /// apostrophe stands before a text that spreadsheets would take for a formula.
  package var csv: String {
    let line = { (cells: [String]) in cells.map(Self.quoted).joined(separator: ",") + "\r\n" }
    return line(uniqueTitles.map(Self.defused))
      + rows.map { row in line(row.map { $0.value.map(Self.plain) ?? Self.defused($0.text) }) }
      .joined()
  }

  /// The headings, later ones of the same words with a number.
  private var uniqueTitles: [String] {
    var seen: [String: Int] = [:]
    return columns.map { column in
      seen[column.title, default: 0] += 1
      let times = seen[column.title] ?? 1
      return times == 1 ? column.title : "\(column.title) (\(times))"
    }
  }

  /// A number without the digits that only its binary form has: 35.4, 0, 12345678.
  private static func plain(_ value: Double) -> String {
    if let whole = Int(exactly: value) { return "\(whole)" }
    return String(format: "%.10g", value)
  }

  /// A text of one line that is neither HTML nor the end of a cell.
  static func escaped(_ text: String) -> String {
    [("\r", " "), ("\n", " "), ("|", "\\|"), ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")]
      .reduce(printable(text)) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
  }

  private static func defused(_ text: String) -> String {
    let isFormula = text.first.map { "=+-@\t\r".contains($0) } ?? false
    return isFormula && Double(text) == nil ? "'" + text : text
  }

  private static func quoted(_ text: String) -> String {
    guard text.contains(where: { ",\"\r\n".contains($0) }) else { return text }
    return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}
