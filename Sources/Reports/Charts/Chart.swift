// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A plot of series of points over two axes, drawn as SVG.
struct Chart {
  /// One point.
  struct Point {
    let x: Double
    let y: Double
    /// The ends of what the point may be, for a band or a bar.
    var range: ClosedRange<Double>?
    /// What the marker's area stands for, in the units of `sizeTitle`.
    var size: Double?
  }

  /// Points that belong together.
  struct Series {
    /// The name in the legend, and how it is drawn.
    let name: String
    let style: SeriesStyle
    let points: [Point]
    /// Whether neighbours are joined by a line.
    var isJoined = true
    /// Whether the name stands beside the last point.
    var isLabelled = false
    /// Single values behind the points, such as those of seeds, drawn small.
    var dots: [Point] = []
  }

  /// A value of the vertical axis that others are held against.
  struct Level {
    let name: String
    let value: Double
  }

  let id: String
  let title: String
  /// What is seen, for those who do not see it, and as a caption.
  let caption: String
  let x: Axis
  let y: Axis
  let series: [Series]
  /// What the area of markers stands for, nil where all are equal.
  var sizeTitle: String?
  /// A dashed line through points, as the Pareto front.
  var front: [Point] = []
  /// A line across the plot, as chance.
  var level: Level?

  private static let width = 560.0
  private static let height = 380.0
  private static let right = 14.0
  private static let top = 12.0
  private static let bottom = 50.0
  /// Room below for the sizes that the area of markers stands for.
  private static let sizesHeight = 48.0
  /// From an axis to its ticks.
  private static let gap = 7.0

  /// Room for the title of the axis and for its widest tick.
  private var left: Double {
    let ticks = y.ticks.map { FontMetrics.width($0.label, size: FontMetrics.tick) }
    return 28 + (ticks.max() ?? 0) + Self.gap
  }

  /// Where points and their names are.
  var inside: Rectangle {
    Rectangle(left: left, top: 0, right: Self.width, bottom: Self.height - Self.bottom)
  }

  /// The drawing; `viewBox` lets it fill the place that it is given.
  var svg: Markup {
    .element(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox":
          "0 0 \(Int(Self.width)) \(Int(Self.height + (sizeTitle == nil ? 0 : Self.sizesHeight)))",
        "role": "img", "aria-labelledby": "\(id)-title \(id)-caption",
      ],
      [
        .element("title", ["id": "\(id)-title"], text: title),
        .element("desc", ["id": "\(id)-caption"], text: caption),
      ] + grid + levelLine + frontLine + series.map(band) + series.map(line) + series.map(marks)
        + series.map(bars) + series.map(dots) + labels + sizes)
  }

  /// What is plotted, in numbers.
  var table: ReportTable {
    var columns: [ReportTable.Column] = [.text("series"), .number(x.title), .number(y.title)]
    let hasRange = series.contains { $0.points.contains { $0.range != nil } }
    if hasRange { columns += [.number("lowest"), .number("highest")] }
    if let sizeTitle { columns.append(.number(sizeTitle)) }
    var table = ReportTable(id: "\(id)-numbers", title: title, caption: caption, columns: columns)
    for series in series {
      for point in series.points {
        table.add(
          [
            ReportTable.Cell(series.name), Self.cell(point.x), Self.cell(point.y),
          ]
            + (hasRange
              ? [Self.cell(point.range?.lowerBound), Self.cell(point.range?.upperBound)] : [])
            + (sizeTitle == nil ? [] : [Self.cell(point.size)]))
      }
    }
    return table
  }

  private static func cell(_ value: Double?) -> ReportTable.Cell {
    guard let value, value.isFinite else { return .empty }
    let format = (1000..<1e9).contains(abs(value)) ? "%.0f" : "%.4g"
    return ReportTable.Cell(String(format: format, value), value: value)
  }

  // MARK: Places

  /// The place of a point in the drawing; nil where an axis cannot show it.
  func position(_ point: Point) -> (x: Double, y: Double)? { position(point.x, point.y) }

  private func position(_ x: Double, _ y: Double) -> (x: Double, y: Double)? {
    guard let across = self.x.place(x), let up = self.y.place(y) else { return nil }
    return (horizontal(across), vertical(up))
  }

  private func horizontal(_ share: Double) -> Double {
    left + share * (Self.width - left - Self.right)
  }

  private func vertical(_ share: Double) -> Double {
    Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom)
  }

  /// The radius of a point's marker.
  func radius(_ point: Point) -> Double {
    point.size.map(radius(ofSize:)) ?? (series.count > 1 ? 3.2 : 2.6)
  }

  /// The radius whose area stands for a size.
  private func radius(ofSize size: Double) -> Double {
    let largest = series.flatMap(\.points).compactMap(\.size).max() ?? 0
    return largest > 0 ? max(2, 16 * (max(size, 0) / largest).squareRoot()) : 3.2
  }

  /// The bar of a point that stands alone, from one end of what it may be to the other.
  func bar(_ point: Point) -> Rectangle? {
    guard let range = point.range, let low = position(point.x, range.lowerBound),
      let high = position(point.x, range.upperBound)
    else { return nil }
    return Rectangle(left: low.x - 1, top: high.y, right: low.x + 1, bottom: low.y)
  }

  // MARK: Pieces

  private var grid: [Markup] {
    let (left, right, bottom) = (left, horizontal(1), vertical(0))
    var pieces: [Markup] = []
    for (value, label) in x.ticks {
      guard let place = x.place(value).map(horizontal) else { continue }
      pieces.append(Self.line("grid", place, Self.top, place, bottom))
      // The last one would else reach over the edge.
      let middle = min(place, Self.width - FontMetrics.width(label, size: FontMetrics.tick) / 2)
      pieces.append(Self.label("tick middle", middle, bottom + 18, label))
    }
    for (value, label) in y.ticks {
      guard let place = y.place(value).map(vertical) else { continue }
      pieces.append(Self.line("grid", left, place, right, place))
      pieces.append(Self.label("tick end", left - Self.gap, place + 4.5, label))
    }
    let middle = vertical(0.5)
    pieces.append(
      Self.label("axis middle", (left + right) / 2, Self.height - 8, x.label))
    pieces.append(
      .element(
        "text",
        ["class": "axis middle", "transform": "translate(18 \(svgNumber(middle))) rotate(-90)"],
        text: y.label))
    return pieces
  }

  private var levelLine: [Markup] {
    guard let level, let place = y.place(level.value).map(vertical) else { return [] }
    return [Self.line("level", left, place, horizontal(1), place)]
  }

  /// Markers of two sizes with what their areas stand for.
  private var sizes: [Markup] {
    let values = series.flatMap(\.points).compactMap(\.size)
    guard let sizeTitle, let largest = values.max(), largest > 0 else { return [] }
    let middle = Self.height + Self.sizesHeight / 2
    var x = left
    let sizes = [largest, largest / 4].map(Self.rounded)
    return sizes.enumerated().flatMap { place, size -> [Markup] in
      let radius = radius(ofSize: size)
      let text = Self.cell(size).text + (place == 0 ? "" : ": \(sizeTitle)")
      defer {
        x += 2 * radius + 12 + FontMetrics.width(text, size: FontMetrics.tick)
      }
      return [
        .element(
          "circle",
          [
            "class": "size", "cx": svgNumber(x + radius), "cy": svgNumber(middle),
            "r": svgNumber(radius),
          ]),
        Self.label("tick", x + 2 * radius + 5, middle + 5, text),
      ]
    }
  }

  /// The first digit of a number, the others 0.
  private static func rounded(_ value: Double) -> Double {
    let power = pow(10, floor(log10(max(value, 1e-9))))
    return (value / power).rounded(.down) * power
  }

  private var frontLine: [Markup] {
    let points = front.compactMap(position)
    guard points.count > 1 else { return [] }
    return [.element("polyline", ["class": "front", "points": Self.list(points)])]
  }

  /// The ends of the points that have a range, upper and lower.
  private func ends(_ series: Series) -> [(
    upper: (x: Double, y: Double), lower: (x: Double, y: Double)
  )] {
    series.points.compactMap { point in
      guard let range = point.range, range.upperBound > range.lowerBound,
        let upper = position(point.x, range.upperBound),
        let lower = position(point.x, range.lowerBound)
      else { return nil }
      return (upper, lower)
    }
  }

  private func isBand(_ series: Series) -> Bool { series.isJoined && ends(series).count > 1 }

  private func band(_ series: Series) -> Markup {
    guard isBand(series) else { return Markup(source: "") }
    let ends = ends(series)
    return .element(
      "polygon",
      [
        "class": "band \(series.style.colorClass)",
        "points": Self.list(ends.map(\.upper) + ends.map(\.lower).reversed()),
      ])
  }

  /// Error bars, above the markers, which may be larger.
  private func bars(_ series: Series) -> Markup {
    guard !isBand(series) else { return Markup(source: "") }
    return .element(
      "g", [:],
      ends(series).map { Self.line("bar", $0.upper.x, $0.upper.y, $0.lower.x, $0.lower.y) })
  }

  private func line(_ series: Series) -> Markup {
    let points = series.points.compactMap(position)
    guard series.isJoined, points.count > 1 else { return Markup(source: "") }
    return .element(
      "polyline",
      [
        "class": "line \(series.style.colorClass)", "stroke-dasharray": series.style.dash,
        "points": Self.list(points),
      ])
  }

  private func marks(_ series: Series) -> Markup {
    // Long curves are lines only, with a mark at their end.
    let shown = series.points.count > 40 ? series.points.suffix(1) : series.points[...]
    return .element(
      "g", [:],
      shown.compactMap { point in
        position(point).map {
          series.style.mark(
            x: $0.x, y: $0.y, radius: radius(point),
            title: "\(series.name): \(x.measured(point.x)), \(y.measured(point.y))")
        }
      })
  }

  private func dots(_ series: Series) -> Markup {
    .element(
      "g", [:],
      series.dots.compactMap { point in
        position(point).map {
          .element(
            "circle",
            [
              "class": "dot \(series.style.colorClass)", "cx": svgNumber($0.x),
              "cy": svgNumber($0.y), "r": "2.2",
            ])
        }
      })
  }

  private var labels: [Markup] {
    let labels = ChartLabels(self)
    return labels.leaders.map { Self.line("leader", $0.0.x, $0.0.y, $0.1.x, $0.1.y) }
      + labels.placed.map { Self.label("name \($0.anchor)", $0.x, $0.y, $0.text) }
  }

  private static func list(_ points: [(x: Double, y: Double)]) -> String {
    points.map { "\(svgNumber($0.x)),\(svgNumber($0.y))" }.joined(separator: " ")
  }

  private static func line(
    _ style: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double
  ) -> Markup {
    .element(
      "line",
      [
        "class": style, "x1": svgNumber(x1), "y1": svgNumber(y1), "x2": svgNumber(x2),
        "y2": svgNumber(y2),
      ])
  }

  private static func label(_ style: String, _ x: Double, _ y: Double, _ text: String) -> Markup {
    .element("text", ["class": style, "x": svgNumber(x), "y": svgNumber(y)], text: text)
  }
}
