// SPDX-License-Identifier: Apache-2.0

import Reports
import Testing

@Suite("Tables of reports")
struct ReportTableTests {
  private var table: ReportTable {
    var table = ReportTable(
      id: "t", title: "T", caption: "how", columns: [.text("model"), .number("a"), .number("b")],
      notes: ["note"])
    table.add([Cell("x|y"), Cell(0.123456, decimals: 2, suffix: " %"), .empty])
    table.add([Cell("q, \"r\""), .empty, .empty])
    return table
  }
  private typealias Cell = ReportTable.Cell

  @Test("Markdown leaves empty columns out, marks what was not measured, and escapes bars")
  func markdown() {
    #expect(
      table.markdown() == """
        ## T

        how

        | model | a |
        | --- | --: |
        | x\\|y | 0.12 % |
        | q, "r" | – |

        - note

        """)
  }

  @Test("CSV has every column, all digits, and quotes as RFC 4180 says")
  func csv() {
    #expect(table.csv == "model,a,b\r\nx|y,0.123456,\r\n\"q, \"\"r\"\"\",,\r\n")
  }

  @Test("Foreign names are neither HTML in Markdown nor formulas in CSV")
  func foreign() {
    var table = ReportTable(
      id: "t", title: "<b>", caption: "a & b", columns: [.text("=model"), .number("a")])
    table.add([Cell("<script>\n| x\u{1B}[2J"), Cell("-0.5", value: -0.5)])
    table.add([Cell("=HYPERLINK(\"x\")"), Cell("-1.5")])
    for name in ["+x", "@x", "-x"] { table.add([Cell(name), .empty]) }
    let markdown = table.markdown()
    #expect(markdown.hasPrefix("## &lt;b&gt;\n\na &amp; b\n"))
    #expect(markdown.contains("| &lt;script&gt; \\| x\\u001B[2J | -0.5 |"))
    let rows = table.csv.split(separator: "\r\n")
    #expect(rows[0] == "'=model,a" && rows[1].hasSuffix(",-0.5"))
    #expect(rows[2] == "\"'=HYPERLINK(\"\"x\"\")\",-1.5")
    #expect(rows[3...] == ["'+x,", "'@x,", "'-x,"])
  }
}
