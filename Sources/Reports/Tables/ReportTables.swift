// SPDX-License-Identifier: Apache-2.0

import Machine
import Training

/// All tables that runs and speed measurements give rise to.
package enum ReportTables {
  /// The tables, the broadest first.
  ///
  /// - Parameters:
  ///   - runs: only finished ones count.
  ///   - speed: as `lra bench` measured.
  ///   - peers: as `make bench-peers` measured.
  ///   - terms: what energy amounts to.
  ///   - asksEnergy: whether there is a table of energy even where none is known.
  package static func all(
    _ runs: [RunRecord], speed: [BenchmarkResult], peers: [PeerRound] = [],
    terms: EnergyTerms = EnergyTerms(), asksEnergy: Bool = false
  ) -> [ReportTable] {
    let groups = SeedGroup.all(runs)
    let protocols = Dictionary(grouping: groups, by: \.conditions).sorted { $0.key < $1.key }
    let names = ProtocolNames(groups)
    let accuracies = protocols.compactMap {
      AccuracyTable.make($0.value, name: names[$0.key], terms: terms)
    }
    let energy = EnergyTable.make(runs, terms, isAsked: asksEnergy)
    return OverviewTable.all(groups) + accuracies + (energy.map { [$0] } ?? [])
      + SweepTable.all(groups)
      + LengthTable.all(groups) + SpeedTable.all(speed) + CrossoverTable.all(speed)
      + PeerTables(peers).all
  }
}
