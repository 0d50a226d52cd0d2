// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The energy that the processor's packages use, everything that runs on them included, where Linux
/// exposes it: the counters under `/sys/class/powercap`, which most machines let only root read, and
/// virtual machines seldom have.
package struct EnergyCounter {
  /// A package's counter: microjoules, which begin at 0 again after `range`.
  private struct Package {
    private let path: String
    let range: UInt64

    /// Nil where the zone is no package or cannot be read.
    init?(zone: String) {
      guard EnergyCounter.text("\(zone)/name")?.hasPrefix("package") == true,
        let range = EnergyCounter.text("\(zone)/max_energy_range_uj").flatMap({ UInt64($0) })
      else { return nil }
      path = "\(zone)/energy_uj"
      self.range = range
      if reading == nil { return nil }
    }

    /// The counter now.
    var reading: UInt64? { EnergyCounter.text(path).flatMap { UInt64($0) } }
  }

  private let packages: [Package]

  /// - Parameter folder: holds a folder for each package, as `intel-rapl:0` (also of AMD), for its parts,
  ///   as `intel-rapl:0:1`, for the whole machine, as `intel-rapl:1` of the name `psys`, and for the
  ///   same packages seen another way, as `intel-rapl-mmio:0`.
  package init(folder: String = "/sys/class/powercap") {
    packages = FileSystem.names(in: folder).filter { $0.hasPrefix("intel-rapl:") }.compactMap {
      Package(zone: "\(folder)/\($0)")
    }
  }

  /// Calls `body`.
  ///
  /// - Returns: what it returns, and joules that the packages used meanwhile, nil where there is no
  ///   counter or one cannot be read again. A counter is taken to begin again at most once, which takes
  ///   minutes.
  package func measured<Result>(
    _ body: () throws -> Result
  ) rethrows -> (result: Result, joules: Double?) {
    let before = packages.map(\.reading)
    let result = try body()
    return (result, joules(since: before))
  }

  private func joules(since before: [UInt64?]) -> Double? {
    if packages.isEmpty { return nil }
    var sum: UInt64 = 0
    for (package, start) in zip(packages, before) {
      guard let start, let end = package.reading, start <= package.range else {
        return nil
      }
      sum += end >= start ? end - start : package.range - start + end
    }
    return Double(sum) / 1e6
  }

  private static func text(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
