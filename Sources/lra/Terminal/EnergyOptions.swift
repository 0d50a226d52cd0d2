// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Machine

/// The flags that say what energy amounts to; `EnergyTerms` reads them and what stands in for them.
struct EnergyOptions: ParsableArguments {
  @Option(
    help: """
      The processor's thermal power in watts, for machines without counters: 65, or 280/64 where the \
      machine has some of 64 cores. Default: $LRA_TDP.
      """)
  var tdp: String?
  @Option(
    help: """
      The grid: a country such as FRA, or WORLD, or kg of CO2 a kWh. Default: $LRA_GRID.
      """)
  var grid: String?
  @Option(
    parsing: .unconditional,
    help: "Energy of the building for each unit of the machine's. Default: $LRA_PUE or 1.")
  var pue: String?
  @Option(
    parsing: .unconditional,
    help: "The price of a kWh, such as 0.20 or 0.15-0.30. Default: $LRA_PRICE.")
  var price: String?

  /// What they say.
  ///
  /// - Throws: `UserError(.usage)` naming the flag that cannot be read.
  func resolved() throws -> EnergyTerms {
    try EnergyTerms(tdp: tdp, grid: grid, pue: pue, price: price)
  }
}
