// SPDX-License-Identifier: Apache-2.0

/// How a model is drawn: a colour that colour-blind people can tell from the others, a marker, and a
/// dash.
package struct SeriesStyle: Hashable {
  /// The shapes of markers.
  package enum Marker: CaseIterable { case circle, square, triangle }

  /// The number of the colour, `--c0` and on in the page's style.
  package let color: Int
  /// The marker.
  package let marker: Marker

  /// Colours there are.
  static let colors = 7

  /// The style of a place in a list; the first ones differ in colour, later ones in marker and dash too.
  package init(place: Int) {
    color = place % Self.colors
    marker = Marker.allCases[place / Self.colors % Marker.allCases.count]
  }

  /// The same colour with another marker and dash, for what stands more than once in a plot.
  func varied(_ times: Int) -> SeriesStyle {
    let place = (Marker.allCases.firstIndex(of: marker) ?? 0) + times
    return SeriesStyle(place: color + place % Marker.allCases.count * Self.colors)
  }

  /// The class that gives an element the colour.
  var colorClass: String { "c\(color)" }

  /// The pattern of lines, nil for a whole one.
  var dash: String? {
    switch marker {
    case .circle: nil
    case .square: "7 3"
    case .triangle: "2 3"
    }
  }

  /// The room that the marker takes.
  func box(x: Double, y: Double, radius: Double) -> Rectangle {
    let (side, top, bottom) =
      switch marker {
      case .circle: (1.0, 1.0, 1.0)
      case .square: (Self.half, Self.half, Self.half)
      case .triangle: (Self.side, Self.side * Self.peak, Self.side * Self.foot)
      }
    return Rectangle(
      left: x - side * radius, top: y - top * radius, right: x + side * radius,
      bottom: y + bottom * radius)
  }

  // Of a circle's radius, in a square and a triangle of the same area: half a side; of half a side of
  // the triangle, how far its peak and its foot are from the middle.
  private static let half = 0.886
  private static let side = 1.347
  private static let peak = 1.155
  private static let foot = 0.577

  /// The marker around a point.
  ///
  /// - Parameter radius: of a circle of the same area.
  func mark(x: Double, y: Double, radius: Double, title: String? = nil) -> Markup {
    let inside = title.map { [Markup.element("title", text: $0)] } ?? []
    let number = { (value: Double) in svgNumber(value) }
    switch marker {
    case .circle:
      return .element(
        "circle",
        ["class": "mark \(colorClass)", "cx": number(x), "cy": number(y), "r": number(radius)],
        inside)
    case .square:
      let half = radius * Self.half
      return .element(
        "rect",
        [
          "class": "mark \(colorClass)", "x": number(x - half), "y": number(y - half),
          "width": number(2 * half), "height": number(2 * half),
        ], inside)
    case .triangle:
      let side = radius * Self.side
      let points = [(0, -Self.peak), (1, Self.foot), (-1, Self.foot)].map {
        "\(number(x + $0.0 * side)),\(number(y + $0.1 * side))"
      }
      return .element(
        "polygon", ["class": "mark \(colorClass)", "points": points.joined(separator: " ")],
        inside)
    }
  }
}

/// The styles of the models of a report, the same in all its plots.
package struct SeriesPalette {
  private let places: [String: Int]

  /// Gives each model the next style, in the order in which they come first.
  package init(_ models: [String]) {
    places = Dictionary(uniqueKeysWithValues: models.distinct.enumerated().map { ($1, $0) })
  }

  /// The style of a model.
  package subscript(model: String) -> SeriesStyle { SeriesStyle(place: places[model] ?? 0) }
}

/// A coordinate with at most two decimals.
func svgNumber(_ value: Double) -> String {
  guard abs(value) < 1e9 else { return "0" }
  let hundredths = (value * 100).rounded() / 100
  return hundredths == hundredths.rounded() ? "\(Int(hundredths))" : "\(hundredths)"
}
