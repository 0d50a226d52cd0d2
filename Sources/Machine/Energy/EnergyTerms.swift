// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// What turns joules into what people ask for: the power of a machine without counters, the overhead of
/// its building, the grid and the price.
package struct EnergyTerms: Sendable, Equatable {
  /// The processor's thermal power; nil where it was not stated.
  package var tdp: ThermalPower?
  /// The grid; nil where it was not stated.
  package var grid: CarbonIntensity?
  /// Energy of the whole building a unit of energy of the machine; 1 is a machine of one's own.
  package var pue = Uncertain(1, low: 1, high: 1.1)
  /// The price of a kWh, in whatever money; nil where it was not stated.
  package var price: Uncertain?

  /// Nothing stated.
  package init() {}

  /// The keys of the flags, which `LRA_TDP` and so on stand in for.
  private enum Key: String {
    case tdp, grid, pue, price

    var flag: String { "--\(rawValue)" }
    var variable: String { "LRA_\(rawValue.uppercased())" }
  }

  /// What the environment says: `LRA_TDP`, `LRA_GRID`, `LRA_PUE`, `LRA_PRICE`.
  ///
  /// - Throws: `UserError(.usage)` naming the variable that cannot be read.
  package static func fromEnvironment() throws -> Self {
    try Self(tdp: nil, grid: nil, pue: nil, price: nil)
  }

  /// What flags say, else the environment.
  ///
  /// - Throws: `UserError(.usage)` naming the flag or variable that cannot be read.
  package init(
    tdp: String?, grid: String?, pue: String?, price: String?,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    let given = { (key: Key, flag: String?) -> (text: String, origin: String)? in
      if let flag { return (flag, key.flag) }
      guard let text = environment[key.variable], !text.isEmpty else { return nil }
      return (text, key.variable)
    }
    self.tdp = try given(.tdp, tdp).map { try ThermalPower(parsing: $0.text, option: $0.origin) }
    self.grid = try given(.grid, grid).map {
      try CarbonIntensity(parsing: $0.text, option: $0.origin)
    }
    if let (text, origin) = given(.pue, pue) {
      self.pue = try Self.effectiveness(text, origin)
    }
    self.price = try given(.price, price).map { try Uncertain(parsing: $0.text, option: $0.origin) }
  }

  /// A single figure of PUE may be off by 0.1, and none is below 1.
  private static func effectiveness(_ text: String, _ origin: String) throws -> Uncertain {
    let stated = try Uncertain(parsing: text, option: origin)
    guard (1...10).contains(stated.low), stated.high <= 10 else {
      throw UserError(
        .usage, "\(origin): \(text) is no overhead of a building",
        remedy: "give 1 for a machine of your own, 1.1 to 2 for a data centre")
    }
    return stated.isExact
      ? Uncertain(stated.value, low: max(1, stated.value - 0.1), high: stated.value + 0.1) : stated
  }

  /// The energy of work on a machine: what its counters measured, else by the processor's power that was
  /// stated, else nothing.
  ///
  /// - Parameters:
  ///   - seconds: that the work took.
  ///   - counted: joules of the counters.
  ///   - threads: cores that computed.
  ///   - cores: cores that the machine has.
  ///   - memoryBytes: its main memory.
  package func energy(
    seconds: Double, counted: Double?, threads: Int, cores: Int, memoryBytes: Int
  ) -> EnergyEstimate {
    EnergyEstimate(
      seconds: seconds, counted: counted,
      power: tdp?.model(threads: threads, of: cores, memoryBytes: memoryBytes))
  }

  /// The same on this machine.
  package func energy(seconds: Double, counted: Double?, threads: Int) -> EnergyEstimate {
    energy(
      seconds: seconds, counted: counted, threads: threads, cores: usableCores,
      memoryBytes: Int(clamping: ProcessInfo.processInfo.physicalMemory))
  }

  /// An energy for people, with its source and what it amounts to; empty where it is not known:
  /// `56 Wh (28–84), model; 3.1 g (1.6–10) of CO2; grid FRA`.
  package func text(_ energy: EnergyEstimate) -> String {
    guard let footprint = footprint(energy) else { return "" }
    let units = [("g", 0.001), ("kg", 1), ("t", 1000)]
    let carbon = footprint.kilograms.map { "\($0.text(units: units)) of CO2" }
    let cost = footprint.cost.map { "price \($0.text)" }
    let grid = grid.map { "grid \($0.name)" }
    return [energy.text, carbon, grid, cost].compactMap(\.self).joined(separator: "; ")
  }

  /// The CO2 of an energy; nil where one or the other is not known.
  package func carbon(_ energy: EnergyEstimate) -> CarbonNote? {
    guard let grid, let kilograms = footprint(energy)?.kilograms else { return nil }
    return CarbonNote(grid: grid.name, pue: pue, kilograms: kilograms)
  }

  /// What an energy amounts to; nil where it is not known.
  package func footprint(_ energy: EnergyEstimate) -> Footprint? {
    energy.joules.map { joules in
      let kilowattHours = joules * (1 / 3.6e6) * pue
      return Footprint(
        kilowattHours: kilowattHours, kilograms: grid.map { kilowattHours * $0.kilograms },
        cost: price.map { kilowattHours * $0 })
    }
  }
}

/// What an energy amounts to.
package struct Footprint: Sendable, Equatable {
  /// Energy with the building's share, kWh.
  package let kilowattHours: Uncertain
  /// CO₂ equivalents, kg; nil without a grid.
  package let kilograms: Uncertain?
  /// In the price's money; nil without a price.
  package let cost: Uncertain?
}
