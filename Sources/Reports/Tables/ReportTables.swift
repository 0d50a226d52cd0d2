// SPDX-License-Identifier: Apache-2.0

import Training

/// All tables that runs and speed measurements give rise to.
package enum ReportTables {
  /// The tables, the broadest first.
  ///
  /// - Parameters:
  ///   - runs: only finished ones count.
  ///   - speed: as `lra bench` measured.
  ///   - peers: as `make bench-peers` measured.
  package static func all(
    _ runs: [RunRecord], speed: [BenchmarkResult], peers: [PeerRound] = []
  ) -> [ReportTable] {
    let groups = SeedGroup.all(runs)
    let protocols = Dictionary(grouping: groups, by: \.conditions).sorted { $0.key < $1.key }
    let names = ProtocolNames(groups)
    let accuracies = protocols.compactMap { AccuracyTable.make($0.value, name: names[$0.key]) }
    return OverviewTable.all(groups) + accuracies + SweepTable.all(groups)
      + LengthTable.all(groups) + SpeedTable.all(speed) + CrossoverTable.all(speed)
      + PeerTables(peers).all
  }
}
