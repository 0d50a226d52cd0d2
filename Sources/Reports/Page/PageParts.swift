// SPDX-License-Identifier: Apache-2.0

/// Tables, plots and lists as pieces of the page.
enum PageParts {
  /// A table in a box that scrolls by itself, with caption and notes.
  static func table(_ table: ReportTable, heading: String? = "h3") -> Markup {
    let shown = table.columns.indices.filter { column in
      column == 0 || table.rows.contains { !$0[column].text.isEmpty }
    }
    let style = { (column: Int) in table.columns[column].isNumeric ? "number" : nil }
    let head = shown.map {
      Markup.element("th", ["class": style($0), "scope": "col"], text: table.columns[$0].title)
    }
    let rows = table.rows.map { row in
      Markup.element("tr", [:], shown.map { cell(row[$0].text, style($0)) })
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
    let style = style ?? (text.count > 40 ? "wide" : nil)
    return .element("td", ["class": style], text: text.isEmpty ? "–" : text)
  }

  /// A plot with its legend, its caption, and what it shows in numbers.
  static func figure(_ chart: Chart) -> Markup {
    .element(
      "figure", [:],
      [
        .element("h3", [:], text: chart.title), chart.svg,
        .element("ul", ["class": "legend"], chart.series.map(legendEntry)),
        .element("figcaption", [:], text: chart.caption),
        fold("the numbers", [table(chart.table, heading: nil)]),
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
    let sample = Markup.element(
      "svg",
      ["xmlns": "http://www.w3.org/2000/svg", "viewBox": "0 0 36 14", "aria-hidden": "true"],
      pieces)
    return .element("li", [:], [sample, .text(" " + series.name)])
  }

  /// Content that is shown on demand.
  static func fold(_ title: String, id: String? = nil, _ content: [Markup]) -> Markup {
    .element("details", ["id": id], [.element("summary", [:], text: title)] + content)
  }

  /// How often each class was taken for each other one, darker for more.
  static func confusion(_ confusion: Confusion, names: [String]) -> Markup {
    let name = { (place: Int) in names.indices.contains(place) ? names[place] : "\(place)" }
    let places = confusion.counts.indices
    let head =
      [Markup.element("th", [:], text: "right \\ answered")]
      + places.map { Markup.element("th", ["class": "number"], text: name($0)) }
    let rows = places.map { row in
      let total = max(confusion.counts[row].reduce(0, +), 1)
      return Markup.element(
        "tr", [:],
        [.element("th", [:], text: name(row))]
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
      "div", ["class": "box"],
      [
        .element(
          "table", ["class": "heat"],
          [
            .element("thead", [:], [.element("tr", [:], head)]), .element("tbody", [:], rows),
          ])
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
                  [.element("th", ["scope": "row"], text: name), cell(value, nil)])
              })
          ])
      ])
  }
}
