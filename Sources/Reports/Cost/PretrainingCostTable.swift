// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The estimates of `PretrainingCost` for people and programs, with all that they rest on.
package struct PretrainingCostTable: Encodable {
  private typealias Cell = ReportTable.Cell

  /// The rows, the dense model first.
  package let rows: [PretrainingCost.Row]
  /// What is taken from publications.
  package let facts: [String]
  /// What is assumed.
  package let assumptions: [String]
  /// What follows for the claim that three tenths are saved.
  package let saving: String
  private let cost: PretrainingCost

  private enum CodingKeys: CodingKey { case rows, facts, assumptions, saving }

  /// - Parameter choices: of ranks; the dense model is added.
  package init(_ cost: PretrainingCost, _ choices: [RankChoice]) {
    self.cost = cost
    rows = ([.dense] + choices).map(cost.row)
    facts = Self.facts(cost)
    assumptions = Self.assumptions(cost)
    saving = Self.saving(cost)
  }

  /// Both tables and the lists, for a screen.
  package var text: String {
    let list = { (title: String, lines: [String]) in
      ([title] + lines.map { "- " + $0 }).joined(separator: "\n")
    }
    return [
      published.text, fromFlops.text, saving, list("Facts", facts),
      list("Assumptions", assumptions),
    ].joined(separator: "\n\n")
  }

  // MARK: Tables

  /// From the published hours.
  package var published: ReportTable {
    var table = ReportTable(
      id: "cost-bert", title: "BERT-base from its published hours", caption: "",
      columns: [.text("rank"), .number("weights, M"), .number("ratio")]
        + cost.plan.phases.map { .number("MFLOP/token, L \($0.length)") } + [
          .number("FLOP ratio"), .number("η"), .number("time ratio"), .number("GPU-hours"),
          .number("$"), .number("kWh"), .number("kg of CO2"),
        ], notes: ranges)
    for row in rows {
      table.add(
        [
          Cell(row.name), Cell(Double(row.parameters) / 1e6, decimals: 1),
          Cell(row.parameterRatio, decimals: 2),
        ] + row.flopsPerToken.map { Cell($0 / 1e6, decimals: 1) } + [
          Cell(row.flopRatio, decimals: 3), Cell(row.efficiency, decimals: 2),
          Cell(row.timeRatio, decimals: 2),
        ] + Self.cells(row.published))
    }
    return table
  }

  /// From the operations.
  package var fromFlops: ReportTable {
    var table = ReportTable(
      id: "cost-bert-flops",
      title: "BERT-base from its operations, at \(Self.teraflops(cost.terms.sustained)) a GPU",
      caption: "",
      columns: [
        .text("rank"), .number("FLOP"), .number("GPU-hours"), .number("$"), .number("kWh"),
        .number("kg of CO2"),
      ])
    for row in rows {
      table.add(
        [Cell(row.name), Cell(formatNumber("%.2e", row.flops), value: row.flops)]
          + Self.cells(row.fromFlops))
    }
    return table
  }

  private static func cells(_ amounts: PretrainingCost.Amounts) -> [Cell] {
    let whole = { (value: Double) in
      Int(exactly: value.rounded()).map(formatCount) ?? formatNumber("%.3g", value)
    }
    let dollars = amounts.dollars
    return [
      Cell(whole(amounts.processorHours), value: amounts.processorHours),
      Cell(
        dollars.isExact ? whole(dollars.value) : "\(whole(dollars.low))–\(whole(dollars.high))",
        value: dollars.value),
      Cell(whole(amounts.kilowattHours.value), value: amounts.kilowattHours.value),
      Cell(whole(amounts.kilograms.value), value: amounts.kilograms.value),
    ]
  }

  /// How far the columns may be off, all rows alike.
  private var ranges: [String] {
    let factors = { (amount: Uncertain) in
      "\(formatNumber("%.2f", amount.low / amount.value)) to "
        + formatNumber("%.2f", amount.high / amount.value)
    }
    guard let amounts = rows.first?.published, amounts.kilograms.value > 0 else { return [] }
    return [
      """
      kWh may be \(factors(amounts.kilowattHours)) of these, kg \(factors(amounts.kilograms)), by the \
      ranges of PUE and grid alone; ratios do not depend on them
      """
    ]
  }

  // MARK: What it rests on

  private static func facts(_ cost: PretrainingCost) -> [String] {
    let (shape, plan, base) = (cost.shape, cost.plan, cost.base)
    let phases = plan.phases.map { phase in
      "\(formatPercent(phase.share)) of \(phase.length) tokens"
    }
    return [
      """
      \(shape.layers) blocks, E \(shape.width), F \(formatCount(shape.feedForward)), V \
      \(formatCount(shape.vocabulary)), \(formatCount(shape.positions)) positions
      """,
      """
      \(formatCount(plan.steps)) steps of \(plan.batch) sequences, \(phases.joined(separator: ", "))
      """,
      """
      dense: \(base.processors) \(base.processor), \(base.watts) W, \(base.hours) h (\(base.source))
      """,
    ]
  }

  private static func assumptions(_ cost: PretrainingCost) -> [String] {
    let (shape, plan, base, terms) = (cost.shape, cost.plan, cost.base, cost.terms)
    let predicted = plan.phases.map { "\($0.predicted) of \($0.length)" }
    let flops = plan.flops(shape, .dense)
    return [
      "a narrow model needs as many steps for the same quality, which nobody showed for BERT",
      "the power stays \(formatNumber("%.0f", base.processorWatts)) W a GPU, its part of the host included",
      terms.efficiency.words,
      """
      \(formatPercent(plan.mapShare(shape))) of the time is in the linear maps of the blocks, as of the \
      operations; attention, head and embeddings take what they take in the dense model
      """,
      "predicted are \(predicted.joined(separator: " and ")) tokens, and the head works for them alone",
      "head, embeddings and pooler stay dense",
      "a training step is three forward passes",
      "PUE \(Self.pue(terms.pue)); \(terms.grid.value) kg of CO2 a kWh; $\(price(terms.price)) a GPU-hour",
      """
      second estimate: \(teraflops(terms.sustained)) a GPU. The published hours mean \
      \(teraflops(flops / base.processorHours / 3600)), little for a \(base.processor)
      """,
    ]
  }

  private static func saving(_ cost: PretrainingCost) -> String {
    let rank = { (efficiency: NarrowEfficiency) -> String in
      var terms = cost.terms
      terms.efficiency = efficiency
      let other = PretrainingCost(
        shape: cost.shape, plan: cost.plan, base: cost.base, terms: terms)
      return other.greatestRank(timeRatio: 0.7).map { "up to rank \($0)" } ?? "at no rank"
    }
    return """
      30 % less than the dense model: \(rank(cost.terms.efficiency)); with η 1 \(rank(.given(1))), with \
      0.65 \(rank(.given(0.65))), with 0.55 \(rank(.given(0.55))), with 0.45 \(rank(.given(0.45)))
      """
  }

  private static func pue(_ pue: Uncertain) -> String {
    let number = { formatNumber("%.2f", $0) }
    return number(pue.value)
      + (pue.isExact ? "" : " (\(number(pue.low))–\(number(pue.high)))")
  }

  private static func price(_ price: Uncertain) -> String {
    price.isExact
      ? formatNumber("%.2f", price.value)
      : "\(formatNumber("%.2f", price.low))–\(formatNumber("%.2f", price.high))"
  }

  private static func teraflops(_ speed: Double) -> String {
    formatNumber("%.3g", speed / 1e12) + " TFLOP/s"
  }
}
