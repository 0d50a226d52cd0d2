// SPDX-License-Identifier: Apache-2.0

import Foundation
import Machine
import Testing

@Suite("Energy")
struct EnergyCounterTests {
  /// Calls `body` with a folder as Linux has it, with these zones.
  private func withZones<T>(
    _ zones: [(zone: String, name: String, energy: String)], _ body: (String) throws -> T
  ) throws -> T {
    let folder = NSTemporaryDirectory() + "lra-energy-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (zone, name, energy) in zones {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(zone)", withIntermediateDirectories: true)
      try write(energy, "\(folder)/\(zone)/energy_uj")
      try write(name + "\n", "\(folder)/\(zone)/name")
      try write("1000000\n", "\(folder)/\(zone)/max_energy_range_uj")
    }
    return try body(folder)
  }

  private func write(_ text: String, _ path: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
  }

  @Test("Packages are added up, once and without their parts, and a counter may begin again")
  func joules() throws {
    let zones = [
      ("intel-rapl:0", "package-0", "5\n"), ("intel-rapl:0:0", "core", "0\n"),
      ("intel-rapl:1", "package-1", "900000\n"), ("intel-rapl:2", "psys", "0\n"),
      ("intel-rapl-mmio:0", "package-0", "5\n"),
    ]
    try withZones(zones) { folder in
      let joules = EnergyCounter(folder: folder).measured {
        for (zone, energy) in zip(zones, ["250005", "77", "150000", "900000", "250005"]) {
          try? write(energy, "\(folder)/\(zone.0)/energy_uj")
        }
      }.joules
      #expect(joules == 0.5)
    }
  }

  @Test("A machine without counters, or with some that cannot be read, has no answer")
  func none() throws {
    var ran = 0
    #expect(EnergyCounter(folder: "/nowhere").measured { ran += 1 }.joules == nil)
    try withZones([("intel-rapl:1", "package-1", "no number")]) {
      #expect(EnergyCounter(folder: $0).measured { ran += 1 }.joules == nil)
    }
    try withZones([("intel-rapl:0", "package-0", "1")]) { folder in
      let joules = EnergyCounter(folder: folder).measured {
        ran += 1
        try? write("", "\(folder)/intel-rapl:0/energy_uj")
      }.joules
      #expect(joules == nil)
    }
    #expect(ran == 3)
  }
}
