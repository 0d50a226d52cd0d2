// SPDX-License-Identifier: Apache-2.0

import Base
import Machine

/// The columns that tell of energy beside other figures of a row: none where no row has any.
struct EnergyColumns {
  private typealias Cell = ReportTable.Cell

  private let energies: [EnergyEstimate]
  private let terms: EnergyTerms
  private let areShown: Bool
  private let hasPrice: Bool

  /// - Parameters:
  ///   - energies: of each row.
  ///   - isTable: whether they are what the table is of, so that there are columns even where no row has any, and
  ///     one of the price.
  init(_ energies: [EnergyEstimate], _ terms: EnergyTerms, isTable: Bool = false) {
    self.energies = energies
    self.terms = terms
    areShown = isTable || energies.contains { $0 != .none }
    hasPrice = isTable && terms.price != nil
  }

  /// Energy with the word of its source, and what it amounts to.
  var columns: [ReportTable.Column] {
    guard areShown else { return [] }
    return [.number("energy, Wh"), .text("energy source")]
      + (terms.grid == nil ? [] : [.number("CO2, g")])
      + (hasPrice ? [.number("price")] : [])
  }

  /// The cells of a row.
  func cells(_ row: Int) -> [ReportTable.Cell] { areShown ? cells(of: energies[row]) : [] }

  /// The cells of an energy.
  func cells(of energy: EnergyEstimate) -> [ReportTable.Cell] {
    let footprint = terms.footprint(energy)
    let cell = { (amount: Uncertain?) in
      amount.map { Cell($0.text, value: $0.value) } ?? Cell.empty
    }
    return [cell(energy.joules.map { $0 * (1 / 3600) }), Cell(energy.source.rawValue)]
      + (terms.grid == nil ? [] : [cell(footprint?.kilograms.map { $0 * 1000 })])
      + (hasPrice ? [cell(footprint?.cost)] : [])
  }

  /// What the figures are, and how far they can be trusted.
  var notes: [String] {
    guard areShown else { return [] }
    let terms = [
      terms.grid.map { "\($0.kilograms.text) kg of CO2 a kWh (\($0.name))" },
      hasPrice ? terms.price.map { "a price of \($0.text) a kWh" } : nil,
    ].compactMap(\.self)
    return [
      """
      energy: of training steps; rapl: counted by the processor's packages, with all else that ran on \
      them; model: W = TDP·(0.1 + 0.9·load³) + memory; none: not known, which is no 0. In brackets the \
      widest range that the uncertain factors allow; ratios on one machine are known better
      """
    ]
      + (terms.isEmpty
        ? []
        : [
          "with \(terms.joined(separator: ", ")), and \(self.terms.pue.text) as the building's overhead (PUE)"
        ])
  }
}
