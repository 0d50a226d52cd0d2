// SPDX-License-Identifier: Apache-2.0

/// Names beside points, each where it covers no other name, no marker, no front and no edge; a name
/// without such a place is left out, since the legend has it too.
struct ChartLabels {
  /// Which end of a name stays where it is when letters grow, as a class of the page's style.
  enum Anchor: String { case start, middle, end }

  /// A name and where its line of text is.
  struct Label {
    let text: String
    let x: Double
    let y: Double
    let anchor: Anchor

    /// The room that the name takes.
    var box: Rectangle {
      let width = FontMetrics.width(text, size: FontMetrics.name)
      let left =
        switch anchor {
        case .start: x
        case .middle: x - width / 2
        case .end: x - width
        }
      return Rectangle(
        left: left, top: y - ChartLabels.ascent, right: left + width, bottom: y + 3.5)
    }
  }

  /// From the foot of a line to the top of its letters.
  private static let ascent = 12.0

  /// The names that found a place.
  let placed: [Label]

  /// Places the names of labelled series at their last points.
  init(_ chart: Chart) {
    let points = chart.series.compactMap { series -> (String, (x: Double, y: Double), Rectangle)? in
      guard series.isLabelled, let point = series.points.last, let place = chart.position(point)
      else { return nil }
      let radius = chart.radius(point)
      return (series.name, place, series.style.box(x: place.x, y: place.y, radius: radius))
    }
    var taken = points.map(\.2) + Self.steps(along: chart.front.compactMap(chart.position))
    var placed: [Label] = []
    for (name, place, marker) in points {
      let found = Self.candidates(name, place, marker).first { label in
        chart.inside.contains(label.box) && !taken.contains { $0.intersects(label.box) }
      }
      guard let found else { continue }
      taken.append(found.box)
      placed.append(found)
    }
    self.placed = placed
  }

  /// To the right, to the left, above and below, then towards the corners.
  private static func candidates(
    _ name: String, _ place: (x: Double, y: Double), _ marker: Rectangle
  ) -> [Label] {
    let (right, left) = (marker.right + 3, marker.left - 3)
    let (above, below) = (marker.top - 4.5, marker.bottom + ascent + 1)
    let places: [(Double, Double, Anchor)] = [
      (right, place.y + 4.5, .start), (left, place.y + 4.5, .end), (place.x, above, .middle),
      (place.x, below, .middle), (place.x, above, .start), (place.x, below, .start),
      (place.x, above, .end), (place.x, below, .end), (marker.left, above, .start),
      (marker.left, below, .start), (marker.right, above, .end), (marker.right, below, .end),
      (right, marker.top + 4, .start), (right, marker.bottom + 4, .start),
      (left, marker.top + 4, .end), (left, marker.bottom + 4, .end),
    ]
    return places.map { Label(text: name, x: $0.0, y: $0.1, anchor: $0.2) }
  }

  /// Small boxes along a line through points.
  private static func steps(along points: [(x: Double, y: Double)]) -> [Rectangle] {
    zip(points, points.dropFirst()).flatMap { start, end in
      (0...60).map { step in
        let share = Double(step) / 60
        let (x, y) = (start.x + share * (end.x - start.x), start.y + share * (end.y - start.y))
        return Rectangle(left: x - 1, top: y - 1, right: x + 1, bottom: y + 1)
      }
    }
  }
}
