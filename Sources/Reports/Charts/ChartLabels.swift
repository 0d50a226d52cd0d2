// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Names beside points, each where it covers no other name, no marker, no bar, no front and no edge; one
/// that finds no such place at its point stands further away, at the end of a thin line.
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

  /// A place in the drawing.
  typealias Place = (x: Double, y: Double)

  /// From the foot of a line to the top of its letters.
  private static let ascent = 12.0
  /// How far names may be from their points.
  private static let distances = Array(stride(from: 14.0, through: 230, by: 12))
  /// Directions that are tried at each distance.
  private static let directions = 24

  /// The names that found a place.
  private(set) var placed: [Label] = []
  /// Lines from points to names that stand away from them.
  private(set) var leaders: [(Place, Place)] = []

  /// Places the names of labelled series at their last points.
  init(_ chart: Chart) {
    let points = chart.series.compactMap { series -> (String, Place, Rectangle)? in
      guard series.isLabelled, let point = series.points.last, let place = chart.position(point)
      else { return nil }
      let radius = chart.radius(point)
      return (series.name, place, series.style.box(x: place.x, y: place.y, radius: radius))
    }
    let bars = chart.series.filter { !$0.isJoined }.flatMap(\.points).compactMap(chart.bar)
    var taken =
      points.map(\.2) + bars + Self.steps(along: chart.front.compactMap(chart.position))
    let isFree = { (label: Label, taken: [Rectangle]) in
      chart.inside.contains(label.box) && !taken.contains { $0.intersects(label.box) }
    }
    for (name, place, marker) in points {
      if let near = Self.candidates(name, place, marker).first(where: { isFree($0, taken) }) {
        taken.append(near.box)
        placed.append(near)
      } else if let far = Self.away(name, place).first(where: { isFree($0, taken) }) {
        taken.append(far.box)
        placed.append(far)
        leaders.append((place, Self.end(of: far, from: place)))
      }
    }
  }

  /// To the right, to the left, above and below, then towards the corners.
  private static func candidates(_ name: String, _ place: Place, _ marker: Rectangle) -> [Label] {
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

  /// In circles around a point, the nearest first.
  private static func away(_ name: String, _ place: Place) -> [Label] {
    distances.flatMap { distance in
      (0..<directions).map { direction in
        let angle = 2 * Double.pi * Double(direction) / Double(directions)
        let (x, y) = (place.x + distance * cos(angle), place.y + distance * sin(angle))
        return Label(text: name, x: x, y: y + 4.5, anchor: cos(angle) < 0 ? .end : .start)
      }
    }
  }

  /// Where the line from a point meets a name.
  private static func end(of label: Label, from place: Place) -> Place {
    let box = label.box
    return (
      x: label.anchor == .end ? box.right + 1 : box.left - 1, y: (box.top + box.bottom) / 2
    )
  }

  /// Small boxes along a line through points.
  private static func steps(along points: [Place]) -> [Rectangle] {
    zip(points, points.dropFirst()).flatMap { start, end in
      (0...60).map { step in
        let share = Double(step) / 60
        let (x, y) = (start.x + share * (end.x - start.x), start.y + share * (end.y - start.y))
        return Rectangle(left: x - 1, top: y - 1, right: x + 1, bottom: y + 1)
      }
    }
  }
}
