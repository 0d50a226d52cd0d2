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
}
