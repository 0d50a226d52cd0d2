// SPDX-License-Identifier: Apache-2.0

import Base
import Machine

/// Operations, time and energy of the training of each finished run, and of all of them together.
enum EnergyTable {
  private typealias Cell = ReportTable.Cell

  /// The table; nil where no energy is known and none was asked for.
  static func make(
    _ runs: [RunRecord], _ terms: EnergyTerms, isAsked: Bool
  ) -> ReportTable? {
    let finished = runs.filter { $0.result != nil }
    let energies = finished.map { $0.energy(terms) }
    let known = energies.filter { $0 != .none }
    guard !finished.isEmpty, isAsked || !known.isEmpty else { return nil }
    let energy = EnergyColumns(energies, terms, isTable: true)
    var table = ReportTable(
      id: "energy", title: "Energy of training", caption: caption(finished, terms),
      columns: [
        .text("run"), .number("TFLOP"), .number("training, min"), .number("J/step"),
      ] + energy.columns, notes: energy.notes)
    for (place, run) in finished.enumerated() {
      guard let result = run.result else { continue }
      let joules = energies[place].joules?.value
      table.add(
        [
          Cell(run.name), Cell(significant: result.trainingFlops.map { $0 / 1e12 }),
          Cell(result.trainingSeconds / 60, decimals: 1),
          Cell(significant: joules.map { $0 / Double(max(1, result.steps)) }),
        ] + energy.cells(place))
    }
    if finished.count > 1, let sum = EnergyEstimate.total(known) {
      table.add(
        [
          Cell("sum of \(known.count) of \(finished.count)"), .empty,
          Cell(seconds(finished, energies) / 60, decimals: 1), .empty,
        ] + energy.cells(of: sum))
    }
    return table
  }

  /// Seconds of the runs whose energy is known.
  private static func seconds(_ runs: [RunRecord], _ energies: [EnergyEstimate]) -> Double {
    zip(runs, energies).filter { $1 != .none }.compactMap { $0.0.result?.trainingSeconds }
      .reduce(0, +)
  }

  private static func caption(_ runs: [RunRecord], _ terms: EnergyTerms) -> String {
    let machines = runs.compactMap { $0.environment.map { "\($0.cpu), \($0.cores) cores" } }
    let power = terms.tdp.map { tdp in
      "a processor of \(formatSignificant(tdp.watts)) W"
        + (tdp.cores.map { " with \($0) cores" } ?? "") + ", on all machines alike"
    }
    return [machines.distinct.joined(separator: "; "), power].compactMap(\.self)
      .filter { !$0.isEmpty }.joined(separator: "; ")
  }
}
