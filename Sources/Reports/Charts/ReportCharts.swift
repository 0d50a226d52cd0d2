// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Training

/// The plots of a report.
enum ReportCharts {
  /// The LRA paper's picture (its figure 3): accuracy against speed, the area of a circle being the
  /// memory, with the front of those that no other beats in both.
  static func tradeOff(_ groups: [SeedGroup]) -> Chart? {
    guard let conditions = groups.first?.conditions, groups.count > 1 else { return nil }
    let points = groups.map { group in
      Chart.Point(
        x: group.stepsPerSecond, y: group.accuracy * 100,
        size: Double(group.peakResidentBytes) / 1_048_576)
    }
    return Chart(
      id: conditions.id("trade-off"), title: "Accuracy, speed and memory",
      caption: """
        Test accuracy against training speed; the area of a mark is the peak memory; dashed: those \
        that no other model beats in both.
        """,
      x: Axis("training steps/s", unit: "steps/s", points.map(\.x), isLogarithmic: true),
      y: Axis("test accuracy, %", unit: "%", points.map(\.y)),
      series: zip(groups, points).map { group, point in
        Chart.Series(
          name: name(group, among: groups), style: SeriesStyle(model: group.model), points: [point],
          isJoined: false, isLabelled: true)
      }, sizeTitle: "peak memory, MiB", front: paretoFront(points))
  }

  /// The model, with its steps where another group has the same model.
  private static func name(_ group: SeedGroup, among groups: [SeedGroup]) -> String {
    let isAlone = groups.count { $0.model == group.model } == 1
    return isAlone ? group.model : "\(group.model), \(formatCount(group.steps)) steps"
  }

  /// The points that no other one beats in both coordinates, from left to right.
  static func paretoFront(_ points: [Chart.Point]) -> [Chart.Point] {
    var best = -Double.infinity
    let front = points.sorted { ($0.x, $0.y) > ($1.x, $1.y) }.filter { point in
      defer { best = max(best, point.y) }
      return point.y > best
    }
    return front.reversed()
  }

  /// Validation accuracy over training, mean and extremes over seeds.
  static func curves(_ groups: [SeedGroup]) -> Chart? {
    guard let conditions = groups.first?.conditions else { return nil }
    let series = groups.sorted { $0.accuracy > $1.accuracy }.map { group in
      Chart.Series(
        name: name(group, among: groups), style: SeriesStyle(model: group.model),
        points: thinned(meanCurve(group.runs.map(\.validation))))
    }
    // A single evaluation is no curve.
    guard series.contains(where: { $0.points.count > 1 }) else { return nil }
    return Chart(
      id: conditions.id("curves"), title: "Validation accuracy over training",
      caption:
        "Mean over seeds, with a band from the lowest to the highest where there are several.",
      x: Axis(
        "step", unit: "steps", series.flatMap { $0.points.map(\.x) }, includesZero: true),
      y: Axis("validation accuracy, %", unit: "%", extremes(series)), series: series)
  }

  /// The mean of curves at the steps that all of them have.
  static func meanCurve(_ curves: [[RunRecord.Point]]) -> [Chart.Point] {
    let known = curves.map { curve in
      Dictionary(curve.map { ($0.step, $0.accuracy * 100) }) { $1 }
    }
    guard let first = known.first else { return [] }
    return first.keys.sorted().compactMap { step in
      let values = known.compactMap { $0[step] }
      guard values.count == known.count, let low = values.min(), let high = values.max() else {
        return nil
      }
      return Chart.Point(x: Double(step), y: mean(values), range: low...high)
    }
  }

  /// Accuracy against length, for each model that was trained at several.
  static func lengths(_ groups: [SeedGroup]) -> Chart? {
    guard let conditions = groups.first?.conditions else { return nil }
    let models = Dictionary(grouping: groups, by: \.model).sorted { $0.key < $1.key }
    let series = models.compactMap { model, rows -> Chart.Series? in
      let lengths = Dictionary(grouping: rows, by: \.conditions.length)
      guard lengths.count > 1 else { return nil }
      let points = lengths.sorted { $0.key < $1.key }.compactMap { length, rows in
        rows.max { $0.steps < $1.steps }.map { group in
          let (low, high) = (group.accuracy - group.error, group.accuracy + group.error)
          return Chart.Point(
            x: Double(length), y: group.accuracy * 100, range: low * 100...high * 100)
        }
      }
      return Chart.Series(name: model, style: SeriesStyle(model: model), points: points)
    }
    guard !series.isEmpty else { return nil }
    return Chart(
      id: ReportTable.identifier(
        "lengths-\(conditions.task)-\(conditions.preset)-\(conditions.hasOwnSteps)"),
      title: "Accuracy against length on \(conditions.task)",
      caption: "Test accuracy at each length, with a band of one standard error.",
      x: lengthAxis(series), y: Axis("test accuracy, %", unit: "%", extremes(series)),
      series: series)
  }

  /// A measurement of training steps against the length, on logarithmic scales.
  ///
  /// - Parameters:
  ///   - title: what is measured, in words.
  ///   - unit: what follows a number.
  static func growth(
    _ series: SpeedTable.Series, id: String, title: String, unit: String,
    _ value: (BenchmarkResult) -> Double
  ) -> Chart? {
    let lines = series.models.compactMap { model -> Chart.Series? in
      let points = series.points(model, forward: false, value).sorted { $0.length < $1.length }
      guard !points.isEmpty else { return nil }
      return Chart.Series(
        name: model, style: SeriesStyle(model: model),
        points: points.map { Chart.Point(x: Double($0.length), y: $0.value) })
    }
    guard !lines.isEmpty else { return nil }
    return Chart(
      id: "\(id)-\(series.id)", title: title, caption: "Training; \(series.name).",
      x: lengthAxis(lines),
      y: Axis(title, unit: unit, lines.flatMap { $0.points.map(\.y) }, isLogarithmic: true),
      series: lines)
  }

  private static func lengthAxis(_ series: [Chart.Series]) -> Axis {
    Axis(
      "length in tokens", unit: "tokens", series.flatMap { $0.points.map(\.x) },
      isLogarithmic: true)
  }

  /// Loss and accuracy of a single run, where there is more than one point to join.
  static func run(_ run: RunRecord, id: String) -> [Chart] {
    let model = run.result?.model ?? run.settings["model.name"]?.description ?? ""
    let curve = { (points: [RunRecord.Point], value: (RunRecord.Point) -> Double) in
      thinned(points.map { Chart.Point(x: Double($0.step), y: value($0)) })
    }
    let shown: [(String, String, String, [Chart.Point])] = [
      ("loss", "training loss, nats", "nats", curve(run.training) { $0.loss }),
      ("accuracy", "validation accuracy, %", "%", curve(run.validation) { $0.accuracy * 100 }),
    ]
    return shown.filter { $0.3.count > 1 }.map { name, title, unit, points in
      Chart(
        id: "\(id)-\(name)", title: title, caption: "Over the steps of the run.",
        x: Axis("step", unit: "steps", points.map(\.x), includesZero: true),
        y: Axis(title, unit: unit, points.map(\.y)),
        series: [Chart.Series(name: model, style: SeriesStyle(model: model), points: points)])
    }
  }

  private static func extremes(_ series: [Chart.Series]) -> [Double] {
    series.flatMap(\.points).flatMap { [$0.y, $0.range?.lowerBound, $0.range?.upperBound] }
      .compactMap(\.self)
  }

  /// At most two hundred points, each the mean of its neighbours, its range that of all of them.
  static func thinned(_ points: [Chart.Point], to limit: Int = 200) -> [Chart.Point] {
    guard points.count > limit else { return points }
    return (0..<limit).map { place in
      let part = points[place * points.count / limit..<(place + 1) * points.count / limit]
      let ranges = part.compactMap(\.range)
      let low = ranges.map(\.lowerBound).min()
      let high = ranges.map(\.upperBound).max()
      return Chart.Point(
        x: mean(part.map(\.x)), y: mean(part.map(\.y)),
        range: low.flatMap { low in high.map { low...$0 } })
    }
  }
}
