// SPDX-License-Identifier: Apache-2.0

import Base
import Machine
import Tasks

/// Test accuracy of all models under one protocol, the best on validation first, published figures
/// beside ours.
enum AccuracyTable {
  private typealias Cell = ReportTable.Cell

  /// The table of one protocol.
  ///
  /// - Parameters:
  ///   - groups: of this protocol only, at least one.
  ///   - name: the protocol's, for the heading.
  ///   - terms: what energy amounts to.
  static func make(
    _ groups: [SeedGroup], name: String, terms: EnergyTerms = EnergyTerms()
  ) -> ReportTable? {
    guard let conditions = groups.first?.conditions else { return nil }
    let ranked = SeedGroup.ranked(groups)
    let published = publishedColumns(task: conditions.task)
    let swept = Sweep.keys(groups)
    let names = ReportCharts.names(ranked)
    let energy = EnergyColumns(ranked.map { $0.energy(terms) }, terms)
    var table = ReportTable(
      id: conditions.id("accuracy"), title: "Accuracy: \(name)",
      caption: caption(conditions, ranked),
      columns: [.text("model")] + swept.map { .text($0) } + [
        .number("n"), .number("val accuracy, %"), .number("test accuracy, %"),
        .number("± test"), .number("± seeds"), .number("best, %"), .number("last, %"),
        .number("steps"),
        .number("training, min"), .number("steps/s"), .number("peak, MiB"),
        .number("weights"),
      ] + energy.columns
        + published.flatMap { [.number($0.name), .number("difference to \($0.name)")] } + [
          .text("remark")
        ],
      notes: notes(conditions, ranked, published) + energy.notes)
    for (place, group) in ranked.enumerated() {
      let isLikeAbove = place > 0 && !group.isDistinguishable(from: ranked[place - 1])
      let remark = remark(group, like: isLikeAbove ? names[place - 1] : nil, besides: swept)
      table.add(
        row(
          group, swept, energy.cells(place), published,
          isComparable: conditions.incomparable == nil, remark: remark))
    }
    return table
  }

  private static func row(
    _ group: SeedGroup, _ swept: [String], _ energy: [Cell], _ published: [PublishedColumn],
    isComparable: Bool, remark: String
  ) -> [Cell] {
    let percent = { (share: Double?) in Cell(share.map { $0 * 100 }, decimals: 1) }
    return [Cell(group.model)] + swept.map { Cell(Sweep.value($0, group)?.description ?? "") } + [
      Cell("\(group.count)", value: Double(group.count)),
      percent(group.validationAccuracy), percent(group.accuracy), percent(group.testError),
      percent(group.spread),
      percent(group.bestAccuracy), percent(group.lastAccuracy),
      Cell(group.stepsText, value: Double(group.steps.upperBound)),
      Cell(group.seconds / 60, decimals: 1), Cell(group.stepsPerSecond, decimals: 2),
      Cell(Double(group.peakResidentBytes) / 1_048_576, decimals: 0),
      Cell(formatCount(group.parameters), value: Double(group.parameters)),
    ] + energy
      + published.flatMap { column -> [Cell] in
        guard let figure = column.figures[group.model] else { return [.empty, .empty] }
        guard isComparable, group.deviations.isEmpty else {
          return [Cell(figure, decimals: 2), .empty]
        }
        let difference = group.accuracy * 100 - figure
        let sign = difference < 0 ? "" : "+"
        return [
          Cell(figure, decimals: 2),
          Cell(sign + Cell(difference, decimals: 1).text, value: difference),
        ]
      } + [Cell(remark)]
  }

  private static func remark(
    _ group: SeedGroup, like other: String?, besides swept: [String]
  ) -> String {
    var remarks: [String] = []
    if group.escaped < group.count {
      remarks.append(
        group.count == 1 ? "chance" : "\(group.escaped) of \(group.count) seeds left chance")
    }
    if let other { remarks.append("≈ \(other)") }
    let others = group.deviations.filter { !swept.contains(String($0.prefix { $0 != "=" })) }
    return (remarks + others).joined(separator: "; ")
  }

  private static func caption(_ conditions: RunConditions, _ groups: [SeedGroup]) -> String {
    let share = groups.first?.majorityShare ?? 0
    return "\(conditions.summary). Always answering the commonest class: \(formatPercent(share))."
  }

  private static func notes(
    _ conditions: RunConditions, _ groups: [SeedGroup], _ published: [PublishedColumn]
  ) -> [String] {
    var notes = [
      """
      n: seeds; ± test: standard error of the test examples; ± seeds: standard deviation over seeds; \
      val, test accuracy: of the checkpoint that the preset goes by, best (on val) or last; steps: \
      those taken
      """,
      "ordered by val accuracy",
    ]
    if zip(groups, groups.dropFirst()).contains(where: { !$0.isDistinguishable(from: $1) }) {
      notes.append(
        "≈: test accuracy not distinguishable from that of the row above it at the 5 % level")
    }
    if groups.contains(where: { $0.count == 1 }) {
      notes.append("n = 1: how much a seed matters is not known")
    }
    notes += published.filter { $0.covers(groups) }.map { "published: \($0.source)" }
    if published.contains(where: { $0.covers(groups) }), let reason = conditions.incomparable {
      notes.append(
        "published figures stand beside for orientation only, without a difference: \(reason)")
    }
    return notes
  }

  // MARK: Published figures

  /// The figures of one publication.
  private struct PublishedColumn {
    let name: String
    let source: String
    let figures: [String: Double]

    func covers(_ groups: [SeedGroup]) -> Bool {
      groups.contains { figures[$0.model] != nil }
    }
  }

  private static func publishedColumns(task: String) -> [PublishedColumn] {
    let results = (try? TaskCatalog.named(task))?.published ?? []
    var sources: [String] = []
    for result in results where !sources.contains(result.source) { sources.append(result.source) }
    return sources.map { source in
      let own = results.filter { $0.source == source }
      return PublishedColumn(
        name: String(source.prefix { $0 != "," }), source: source,
        figures: Dictionary(own.map { ($0.model, $0.accuracy) }) { $1 })
    }
  }
}
