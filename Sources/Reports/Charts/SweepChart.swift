// SPDX-License-Identifier: Apache-2.0

/// Validation accuracy against a setting that was swept over.
enum SweepChart {
  /// A plot for each number that more than one value was tried of, a line for each model and choice of
  /// the other settings.
  static func all(_ groups: [SeedGroup], _ styles: SeriesPalette) -> [Chart] {
    let sweeps = Sweep.all(groups)
    let keys = Set(sweeps.flatMap { sweep in sweep.keys.filter { sweep.numbers($0).count > 1 } })
    return keys.sorted().compactMap { key in
      make(key, sweeps.filter { $0.numbers(key).count > 1 }, styles)
    }
  }

  private static func make(
    _ key: String, _ sweeps: [Sweep], _ styles: SeriesPalette
  ) -> Chart? {
    guard let conditions = sweeps.first?.conditions else { return nil }
    let series = sweeps.flatMap { sweep in
      Dictionary(grouping: sweep.groups) { others(than: key, sweep, $0) }
        .sorted { $0.key < $1.key }.enumerated().map { place, line in
          Chart.Series(
            name: line.key.isEmpty ? sweep.model : "\(sweep.model), \(line.key)",
            style: styles[sweep.model].varied(place),
            points: line.value.compactMap { point(key, $0) }.sorted { $0.x < $1.x })
        }
    }
    let places = series.flatMap { $0.points.map(\.x) }
    guard let least = places.min(), let most = places.max() else { return nil }
    return Chart(
      id: conditions.id("sweep") + "-" + ReportTable.identifier(key),
      title: "Val accuracy against \(key)",
      caption:
        "Mean over seeds, with a band of one standard error.",
      x: Axis(key, unit: "", places, isLogarithmic: least > 0 && most / least >= 8),
      y: Axis(
        "val accuracy, %", unit: "%",
        series.flatMap(\.points).flatMap { [$0.y, $0.range?.lowerBound, $0.range?.upperBound] }
          .compactMap(\.self)), series: series)
  }

  private static func point(_ key: String, _ group: SeedGroup) -> Chart.Point? {
    guard let x = Sweep.value(key, group).flatMap(Double.init(setting:)) else { return nil }
    guard let accuracy = group.validationAccuracy else { return nil }
    let error = group.validationError
    return Chart.Point(
      x: x, y: accuracy * 100, range: (accuracy - error) * 100...(accuracy + error) * 100)
  }

  private static func others(than key: String, _ sweep: Sweep, _ group: SeedGroup) -> String {
    sweep.keys.filter { $0 != key }.map { other in
      "\(other)=\(Sweep.value(other, group)?.description ?? "")"
    }.joined(separator: " ")
  }
}
