// SPDX-License-Identifier: Apache-2.0

/// A text in lines of at most `width` characters, broken at spaces; a longer word has a line of its own.
///
/// Lines of the text stay lines.
///
/// - Parameter indent: what every line but the first of each of these begins with.
package func wrapped(_ text: String, width: Int = 100, indent: String = "") -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
    var lines: [String] = []
    var current = ""
    for word in line.split(separator: " ", omittingEmptySubsequences: false) {
      if !current.isEmpty, current.count + 1 + word.count > width {
        lines.append(current)
        current = indent + word
      } else {
        current += (current.isEmpty ? "" : " ") + word
      }
    }
    return (lines + [current]).joined(separator: "\n")
  }.joined(separator: "\n")
}

/// A table whose rows have remarks: each stands below its row, broken and indented.
///
/// - Parameter remarks: one for each row behind the heading; empty for none.
package func formatTable(
  _ rows: [[String]], leading: Int = 1, remarks: [String], width: Int = 100
) -> String {
  let lines = formatTable(rows, leading: leading).split(separator: "\n").map(String.init)
  return zip(lines, [""] + remarks).map { line, remark in
    line + (remark.isEmpty ? "" : "\n    " + wrapped(remark, width: width - 4, indent: "    "))
  }.joined(separator: "\n")
}
