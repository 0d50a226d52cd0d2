// SPDX-License-Identifier: Apache-2.0

/// Lines of cells in columns of equal width, two spaces apart.
///
/// The first `leading` columns begin at the left, the others, numbers as a rule, end at the right.
/// A row may have fewer cells than the first one.
///
/// - Returns: lines without spaces at the end, joined by line ends.
package func formatTable(_ rows: [[String]], leading: Int = 1) -> String {
  let columns = rows.map(\.count).max() ?? 0
  let widths = (0..<columns).map { column in
    rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0
  }
  return rows.map { formatRow($0, widths: widths, leading: leading) }.joined(separator: "\n")
}

/// One line of a table whose widths are known beforehand.
package func formatRow(_ cells: [String], widths: [Int], leading: Int = 1) -> String {
  var line = ""
  for (column, (cell, width)) in zip(cells, widths).enumerated() {
    let space = String(repeating: " ", count: max(0, width - cell.count))
    line += (column > 0 ? "  " : "") + (column < leading ? cell + space : space + cell)
  }
  while line.last == " " { line.removeLast() }
  return line
}

/// A whole number with commas between groups of three digits: `170,250`.
package func formatCount(_ count: Int) -> String {
  var digits = String(count.magnitude)
  var groups: [String] = []
  while digits.count > 3 {
    groups.insert(String(digits.suffix(3)), at: 0)
    digits.removeLast(3)
  }
  return (count < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
}
