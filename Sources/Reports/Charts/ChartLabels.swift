/// Names beside points, each where it covers no other name, no marker and no edge; a name without
/// such a place is left out, since the legend has it too.
struct ChartLabels {
  /// A name and where its line of text begins.
  struct Label {
    let text: String
    let x: Double
    let y: Double
  }

  private struct Box {
    let (left, top, right, bottom): (Double, Double, Double, Double)

    func meets(_ other: Box) -> Bool {
      left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }
  }

  private static let letter = 6.6
  private static let line = 13.0
  /// Letters are wider by this where the window is narrow; see `PageStyle`.
  private static let narrowWindow = 1.25

  /// The names that found a place.
  let placed: [Label]

  /// Places the names of labelled series at their last points.
  init(_ chart: Chart) {
    let points = chart.series.flatMap { series in
      series.isLabelled ? series.points.suffix(1).map { (series.name, $0) } : []
    }
    var taken = points.compactMap { _, point in
      chart.position(point).map { Self.box(around: $0, radius: chart.radius(point) * 0.8) }
    }
    var placed: [Label] = []
    for (name, point) in points {
      guard let place = chart.position(point) else { continue }
      let width = Double(name.count) * Self.letter
      let found = Self.offsets(radius: chart.radius(point), width: width).lazy
        .map { Label(text: name, x: place.x + $0.x, y: place.y + $0.y) }
        .first { label in
          let box = Self.box(label, width: width)
          return box.left >= Chart.left && box.right <= Chart.width
            && box.top >= 0 && box.bottom <= Chart.height - Chart.bottom
            && !taken.contains { $0.meets(box) }
        }
      guard let found else { continue }
      taken.append(Self.box(found, width: width))
      placed.append(found)
    }
    self.placed = placed
  }

  /// To the right, to the left, above and below.
  private static func offsets(radius: Double, width: Double) -> [(x: Double, y: Double)] {
    [
      (radius + 3, 4.5), (-radius - 3 - width, 4.5), (-width / 2, -radius - 4),
      (-width / 2, radius + line), (radius, -radius - 2), (radius, radius + line - 2),
      (-radius - width, -radius - 2), (-radius - width, radius + line - 2),
    ]
  }

  private static func box(around place: (x: Double, y: Double), radius: Double) -> Box {
    Box(
      left: place.x - radius, top: place.y - radius, right: place.x + radius,
      bottom: place.y + radius)
  }

  private static func box(_ label: Label, width: Double) -> Box {
    Box(
      left: label.x, top: label.y - line + 3, right: label.x + width * narrowWindow,
      bottom: label.y + 3)
  }
}
