// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Training

/// The plots of a report.
struct ReportCharts {
  /// How models are drawn.
  let styles: SeriesPalette

  /// More marks than this have no names.
  private static let mostNames = 40

  /// The LRA paper's picture (its figure 3): accuracy against speed, the area of a mark being the memory,
  /// with the front of those that none beats in both.
  func tradeOff(_ groups: [SeedGroup]) -> Chart? {
    guard let conditions = groups.first?.conditions, groups.count > 1 else { return nil }
    let ranked = SeedGroup.ranked(groups)
    let points = ranked.map { group in
      Chart.Point(
        x: group.stepsPerSecond, y: group.accuracy * 100, range: Self.range(group),
        size: Double(group.peakResidentBytes) / 1_048_576)
    }
    let names = Self.names(ranked)
    let series = ranked.indices.map { place in
      Chart.Series(
        name: names[place], style: style(ranked[place], place, ranked), points: [points[place]],
        isJoined: false, isLabelled: place < Self.mostNames, dots: Self.seeds(ranked[place]))
    }
    let chance = Self.chance(groups)
    return Chart(
      id: conditions.id("trade-off"), title: "Accuracy, speed and memory",
      caption: """
        Test accuracy ± its standard error against training speed; small dots: single seeds; the area of \
        a mark is the peak memory; dashed: those that no other model distinguishably beats in accuracy \
        and beats in speed.
        """,
      x: Axis("training steps/s", unit: "steps/s", points.map(\.x), isLogarithmic: true),
      y: Axis(
        "test accuracy, %", unit: "%", Self.extremes(series, chance), span: Self.span(groups),
        limits: Self.shares),
      series: series, sizeTitle: "peak memory, MiB", front: Self.front(groups), level: chance)
  }

  /// The model, with what tells it apart where another group has the same model.
  static func names(_ groups: [SeedGroup]) -> [String] {
    let models = Dictionary(grouping: groups, by: \.model)
    return groups.map { group in
      let alike = models[group.model] ?? []
      guard alike.count > 1 else { return group.model }
      let steps = Set(alike.map(\.steps)).count > 1 ? ["\(group.stepsText) steps"] : []
      return ([group.model] + steps + group.assignments(differing(alike))).joined(separator: ", ")
    }
  }

  /// The changed settings that groups do not have in common.
  private static func differing(_ groups: [SeedGroup]) -> [String] {
    let shared = groups.map { Set($0.deviations) }.reduce(Set(groups.first?.deviations ?? [])) {
      $0.intersection($1)
    }
    let changed = groups.flatMap(\.deviations).filter { !shared.contains($0) }
    return Set(changed.map { String($0.prefix { $0 != "=" }) }).sorted()
  }

  /// The model's style, varied for what stands more than once.
  private func style(_ group: SeedGroup, _ place: Int, _ groups: [SeedGroup]) -> SeriesStyle {
    styles[group.model].varied(groups[..<place].count { $0.model == group.model })
  }

  /// All shares there are, in per cent.
  private static let shares: ClosedRange<Double> = 0...100

  /// A share in per cent with its error to both sides, as far as such shares go.
  private static func percent(_ share: Double, _ error: Double) -> ClosedRange<Double> {
    max(0, share - error)...max(max(0, share - error), min(100, share + error))
  }

  private static func range(_ group: SeedGroup) -> ClosedRange<Double> {
    percent(group.accuracy * 100, group.error * 100)
  }

  private static func seeds(_ group: SeedGroup) -> [Chart.Point] {
    guard group.count > 1 else { return [] }
    return group.runs.compactMap(\.result).map {
      Chart.Point(x: $0.stepsPerSecond, y: $0.test.accuracy * 100)
    }
  }

  /// What always answering the commonest class reaches.
  private static func chance(_ groups: [SeedGroup]) -> Chart.Level? {
    groups.first.map { Chart.Level(name: "chance", value: $0.majorityShare * 100) }
  }

  /// What an axis of accuracies shows at least: four of the greatest standard errors on each side.
  private static func span(_ groups: [SeedGroup]) -> Double {
    800 * (groups.map(\.error).max() ?? 0)
  }

  /// The groups that none beats in both speed and, distinguishably, accuracy, from left to right.
  ///
  /// Each is distinguishably better than the next faster one.
  static func front(_ groups: [SeedGroup]) -> [Chart.Point] {
    var front: [SeedGroup] = []
    let fastest = groups.sorted {
      ($0.stepsPerSecond, $0.accuracy) > ($1.stepsPerSecond, $1.accuracy)
    }
    for group in fastest {
      guard let best = front.last else {
        front.append(group)
        continue
      }
      if group.accuracy > best.accuracy, group.isDistinguishable(from: best) { front.append(group) }
    }
    return front.reversed().map { Chart.Point(x: $0.stepsPerSecond, y: $0.accuracy * 100) }
  }

  /// Validation accuracy over training, mean and extremes over seeds.
  func curves(_ groups: [SeedGroup]) -> Chart? {
    guard let conditions = groups.first?.conditions else { return nil }
    let ranked = SeedGroup.ranked(groups)
    let names = Self.names(ranked)
    let series = ranked.indices.map { place in
      Chart.Series(
        name: names[place], style: style(ranked[place], place, ranked),
        points: Self.curve(ranked[place]))
    }
    // A single evaluation is no curve.
    guard series.contains(where: { $0.points.count > 1 }) else { return nil }
    let chance = Self.chance(groups)
    return Chart(
      id: conditions.id("curves"), title: "Val accuracy over training",
      caption: """
        Mean over seeds, with a band from the lowest to the highest where there are several, and for a \
        single one the standard error at the end.
        """,
      x: Axis(
        "step", unit: "steps", series.flatMap { $0.points.map(\.x) }, includesZero: true),
      y: Axis(
        "val accuracy, %", unit: "%", Self.extremes(series, chance),
        span: Self.span(groups),
        limits: Self.shares), series: series, level: chance)
  }

  private static func curve(_ group: SeedGroup) -> [Chart.Point] {
    var points = thinned(meanCurve(group.runs.map(\.validation)))
    if group.count == 1, let last = points.last {
      let error = group.validationError * 100
      points[points.count - 1].range = percent(last.y, error)
    }
    return points
  }

  /// The mean of curves at the steps that all of them have; a single one has no range.
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
      return Chart.Point(
        x: Double(step), y: mean(values), range: values.count > 1 ? low...high : nil)
    }
  }

  /// Accuracy against length, a line for groups that differ in their length alone.
  func lengths(_ lines: [[SeedGroup]]) -> Chart? {
    guard let conditions = lines.first?.first?.conditions else { return nil }
    let first = lines.compactMap(\.first)
    let names = Self.names(first)
    let series = zip(lines.indices, lines).map { place, line in
      Chart.Series(
        name: names[place], style: style(first[place], place, first),
        points: line.map { group in
          Chart.Point(
            x: Double(group.conditions.length), y: group.accuracy * 100, range: Self.range(group))
        })
    }
    let chance = Self.chance(first)
    return Chart(
      id: ReportTable.identifier(
        "lengths-\(conditions.task)-\(conditions.preset)-\(conditions.hasOwnSteps)"),
      title: "Accuracy against length: \(conditions.taskTitle), \(conditions.presetName)",
      caption: """
        Test accuracy, with a band of one standard error; the runs of a line differ in their length alone.
        """,
      x: Self.lengthAxis(series),
      y: Axis(
        "test accuracy, %", unit: "%", Self.extremes(series, chance),
        span: Self.span(Array(lines.joined())),
        limits: Self.shares), series: series, level: chance)
  }

  /// A measurement of training steps against the length, on logarithmic scales.
  ///
  /// - Parameters:
  ///   - title: what is measured, in words.
  ///   - unit: what follows a number.
  func growth(
    _ series: SpeedTable.Series, id: String, title: String, unit: String,
    _ value: (BenchmarkResult) -> Double
  ) -> Chart? {
    let lines = series.models.compactMap { model -> Chart.Series? in
      let points = series.points(model, forward: false, value).sorted { $0.length < $1.length }
      guard !points.isEmpty else { return nil }
      return Chart.Series(
        name: model, style: styles[model],
        points: points.map { Chart.Point(x: Double($0.length), y: $0.value) })
    }
    guard !lines.isEmpty else { return nil }
    return Chart(
      id: "\(id)-\(series.id)", title: title, caption: "Training; \(series.name).",
      x: Self.lengthAxis(lines),
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
    let curve = { (points: [RunRecord.Point], value: (RunRecord.Point) -> Double) in
      thinned(points.map { Chart.Point(x: Double($0.step), y: value($0)) })
    }
    let count = run.result.map {
      ($0.validationBest ?? $0.validationLast ?? $0.validation)?.count ?? 0
    }
    let accuracy = curve(run.validation) { $0.accuracy * 100 }.map { point in
      var point = point
      guard let count, count > 0, (0...100).contains(point.y) else { return point }
      let error = standardError(accuracy: point.y / 100, count: count) * 100
      point.range = percent(point.y, error)
      return point
    }
    let series = { (name: String, place: Int, points: [Chart.Point]) in
      Chart.Series(name: name, style: SeriesStyle(place: place), points: points)
    }
    let losses = [
      series("training", 0, curve(run.training) { $0.loss }),
      series("val", 1, curve(run.validation) { $0.loss }),
    ].filter { $0.points.count > 1 }
    let accuracies = [series("val", 1, accuracy)].filter { $0.points.count > 1 }
    let chance = run.result.map { Chart.Level(name: "chance", value: $0.majorityShare * 100) }
    let axis = { (series: [Chart.Series]) in
      Axis("step", unit: "steps", series.flatMap { $0.points.map(\.x) }, includesZero: true)
    }
    return [
      Chart(
        id: "\(id)-loss", title: "Loss of \(run.name)",
        caption: "Over the steps of the run: \(losses.map(\.name).joined(separator: " and ")).",
        x: axis(losses),
        y: Axis("loss, nats", unit: "nats", extremes(losses, nil)), series: losses),
      Chart(
        id: "\(id)-accuracy", title: "Val accuracy of \(run.name)",
        caption: "Over the steps of the run, with a band of one standard error.",
        x: axis(accuracies),
        y: Axis(
          "val accuracy, %", unit: "%", extremes(accuracies, chance), span: 4, limits: shares
        ),
        series: accuracies, level: chance),
    ].filter { !$0.series.isEmpty }
  }

  private static func extremes(_ series: [Chart.Series], _ level: Chart.Level?) -> [Double] {
    series.flatMap { $0.points + $0.dots }
      .flatMap { [$0.y, $0.range?.lowerBound, $0.range?.upperBound] }.compactMap(\.self)
      + (level.map { [$0.value] } ?? [])
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
