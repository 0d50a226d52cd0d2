// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// What a machine without counters is thought to draw while it computes.
///
///     W = TDP·(0.1 + 0.9·load³) + RAM
///
/// The load is the share of the machine's cores that compute. RAM is 5 W a module, of which there are
/// 2 up to 16 GiB, 4 up to 64, 8 up to 128, then one for each 32; the fifth to eighth count 90 %, the
/// next eight 80 %, all others 70 %.
///
/// Source: the machine mode of codecarbon (b05965e). Differs: it guesses the TDP from the processor's
/// name, which here the user states.
package struct PowerModel: Sendable, Equatable {
  /// The thermal power of the machine's cores, watts.
  package let tdp: Double
  /// The share of the cores that compute, 0…1.
  package let load: Double
  /// The power of the memory, watts.
  package let ram: Double

  /// - Parameters:
  ///   - tdp: of the cores that the machine has, watts.
  ///   - load: the share of them that compute, 0…1.
  ///   - memoryBytes: main memory; nil to leave its power out.
  package init(tdp: Double, load: Double, memoryBytes: Int?) {
    self.tdp = tdp
    self.load = min(max(load, 0), 1)
    ram = memoryBytes.map { Self.memoryWatts(modules: Self.modules(of: $0)) } ?? 0
  }

  /// Watts, which may be half of it to half as much again.
  package var watts: Uncertain {
    Uncertain(tdp * (0.1 + 0.9 * pow(load, 3)) + ram, within: EnergySource.model.factors)
  }

  /// How many memory modules a machine is thought to have.
  private static func modules(of bytes: Int) -> Int {
    let gigabytes = Double(bytes) / 1_073_741_824
    return switch gigabytes {
    case ...16: 2
    case ...64: 4
    case ...128: 8
    default: max(8, Int((gigabytes / 32).rounded(.up)))
    }
  }

  private static func memoryWatts(modules: Int) -> Double {
    let watts = (1...modules).reduce(0.0) { sum, module in
      let share =
        switch module {
        case ...4: 1.0
        case ...8: 0.9
        case ...16: 0.8
        default: 0.7
        }
      return sum + 5 * share
    }
    return max(10, watts)
  }
}

/// A processor's thermal power as the user states it: `65`, or `280/64` for 64 cores of which the machine
/// may have a part, as virtual ones do.
package struct ThermalPower: Sendable, Equatable {
  /// Watts of the whole processor.
  package let watts: Double
  /// The cores that these are for; nil for all that the machine has.
  package let cores: Int?

  /// Reads the text.
  ///
  /// - Parameter option: where it was given, for the message.
  /// - Throws: `UserError(.usage)` for anything else.
  package init(parsing text: String, option: String) throws {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let watts = Double(parts[0]), (0.1...10_000).contains(watts) else {
      throw Self.refusal(option, text)
    }
    self.watts = watts
    guard parts.count == 2 else {
      cores = nil
      return
    }
    guard let cores = Int(parts[1]), (1...100_000).contains(cores) else {
      throw Self.refusal(option, text)
    }
    self.cores = cores
  }

  private static func refusal(_ option: String, _ text: String) -> UserError {
    UserError(
      .usage, "\(option): \"\(text)\" is not a processor's power in watts",
      remedy: "write it as 65, or as 280/64 where the machine has some of a processor's 64 cores")
  }

  /// What a machine draws while some of its cores compute.
  ///
  /// - Parameters:
  ///   - threads: cores that compute.
  ///   - machineCores: cores that it has.
  package func model(threads: Int, of machineCores: Int, memoryBytes: Int?) -> PowerModel {
    let share = cores.map { min(1, Double(machineCores) / Double($0)) } ?? 1
    return PowerModel(
      tdp: watts * share, load: Double(threads) / Double(max(1, machineCores)),
      memoryBytes: memoryBytes)
  }
}
