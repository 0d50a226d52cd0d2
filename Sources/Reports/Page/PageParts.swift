// SPDX-License-Identifier: Apache-2.0

/// Tables, plots and lists as pieces of the page.
enum PageParts {
  /// A table in a box that scrolls by itself, with caption and notes.
  ///
  /// - Parameter links: where the texts of the first column lead.
  static func table(
    _ table: ReportTable, heading: String? = "h3", links: [String: String] = [:]
  ) -> Markup {
    let shown = table.columns.indices.filter { column in
      column == 0 || table.rows.contains { !$0[column].text.isEmpty }
    }
    let style = { (column: Int) in table.columns[column].isNumeric ? nil : "t" }
    let head = shown.map {
      Markup.element("th", ["class": style($0), "scope": "col"], text: table.columns[$0].title)
    }
    let rows = table.rows.map { row in
      Markup.element(
        "tr", [:],
        shown.map { column in
          let text = row[column].text
          if column == 0, let link = links[text] {
            return .element("td", ["class": "t"], [.element("a", ["href": link], text: text)])
          }
          return cell(text, style(column))
        })
    }
    let title = heading.map { [Markup.element($0, ["id": table.id], text: table.title)] } ?? []
    let caption =
      table.caption.isEmpty ? [] : [Markup.element("p", ["class": "soft"], text: table.caption)]
    let notes = table.notes.map { Markup.element("li", [:], text: $0) }
    return .element(
      "section", [:],
      title + caption + [
        .element(
          "div", ["class": "box", "tabindex": "0"],
          [
            .element(
              "table", [:],
              [
                .element("thead", [:], [.element("tr", [:], head)]),
                .element("tbody", [:], rows),
              ])
          ])
      ] + (notes.isEmpty ? [] : [.element("ul", ["class": "notes"], notes)]))
  }

  private static func cell(_ text: String, _ style: String?) -> Markup {
    // Long remarks may break into lines, everything else stays on one.
    let style = style != nil && text.count > 24 ? "t wide" : style
    return .element("td", ["class": style], text: text.isEmpty ? "–" : text)
  }

  /// A part of the page with a heading that opens it.
  static func section(
    _ id: String, _ title: String, isOpen: Bool, _ content: [Markup]
  ) -> Markup {
    .element(
      "details", ["open": isOpen ? "open" : nil],
      [.element("summary", [:], [.element("h2", ["id": id], text: title)])] + content)
  }

  /// A plot with its legend, its caption, and where it stands in numbers.
  static func figure(_ chart: Chart, hasNumbers: Bool) -> Markup {
    let numbers =
      hasNumbers
      ? [Markup.text(" "), .element("a", ["href": "\(chart.table.id).csv"], text: "Numbers (CSV)")]
      : []
    return .element(
      "figure", [:],
      [
        .element("h3", [:], text: chart.title), chart.svg,
        .element(
          "ul", ["class": "legend"],
          chart.series.map(legendEntry) + (chart.level.map { [legendEntry($0)] } ?? [])),
        .element("figcaption", [:], [.text(chart.caption)] + numbers),
      ])
  }

  private static func legendEntry(_ series: Chart.Series) -> Markup {
    var pieces = [series.style.mark(x: 18, y: 7, radius: 4.5)]
    if series.isJoined {
      pieces.insert(
        .element(
          "line",
          [
            "class": "line \(series.style.colorClass)", "x1": "0", "y1": "7", "x2": "36", "y2": "7",
            "stroke-dasharray": series.style.dash,
          ]), at: 0)
    }
    return legendEntry(pieces, series.name)
  }

  private static func legendEntry(_ level: Chart.Level) -> Markup {
    let line = Markup.element(
      "line", ["class": "level", "x1": "0", "y1": "7", "x2": "36", "y2": "7"])
    return legendEntry([line], String(format: "%@, %.1f", level.name, level.value))
  }

  private static func legendEntry(_ sample: [Markup], _ name: String) -> Markup {
    let drawing = Markup.element(
      "svg",
      ["xmlns": "http://www.w3.org/2000/svg", "viewBox": "0 0 36 14", "aria-hidden": "true"],
      sample)
    return .element("li", [:], [drawing, .text(" " + name)])
  }

  /// Content that is shown on demand.
  static func fold(_ title: String, id: String? = nil, _ content: [Markup]) -> Markup {
    .element("details", ["id": id], [.element("summary", [:], text: title)] + content)
  }

  /// How often each class was taken for each other one, darker for more.
  static func confusion(_ confusion: Confusion, names: [String], title: String) -> Markup {
    let name = { (place: Int) in names.indices.contains(place) ? names[place] : "\(place)" }
    let places = confusion.counts.indices
    let head =
      [Markup.element("th", ["class": "t"], text: "true / predicted")]
      + places.map { Markup.element("th", [:], text: name($0)) }
    let rows = places.map { row in
      let total = max(confusion.counts[row].reduce(0, +), 1)
      return Markup.element(
        "tr", [:],
        [.element("th", ["class": "t"], text: name(row))]
          + places.map { column in
            let count = confusion.counts[row][column]
            let share = Int((Double(count) / Double(total) * 55).rounded())
            return .element(
              "td",
              [
                "class": row == column ? "right" : nil,
                "style": "background: color-mix(in srgb, var(--c0) \(share)%, transparent)",
              ], text: "\(count)")
          })
    }
    return .element(
      "figure", [:],
      [
        .element("figcaption", [:], text: title),
        .element(
          "div", ["class": "box"],
          [
            .element(
              "table", ["class": "heat"],
              [
                .element("thead", [:], [.element("tr", [:], head)]),
                .element("tbody", [:], rows),
              ])
          ]),
      ])
  }

  /// A list of names and values.
  static func facts(_ facts: [(String, String)]) -> Markup {
    .element(
      "div", ["class": "box"],
      [
        .element(
          "table", [:],
          [
            .element(
              "tbody", [:],
              facts.map { name, value in
                .element(
                  "tr", [:],
                  [
                    .element("th", ["class": "t", "scope": "row"], text: name), cell(value, "t"),
                  ])
              })
          ])
      ])
  }
}
