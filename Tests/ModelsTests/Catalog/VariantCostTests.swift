// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import TestSupport
import Testing

/// What one forward and backward pass over two sequences of this length needs.
private func cost(_ entry: VariantEntry, length: Int) throws -> StepCost {
  var configuration = try tinyConfiguration(entry, length: length)
  if let options = VariantCase.of(entry).optionsAtLength?(length) {
    configuration.options.merge(options) { $1 }
  }
  return try StepCost(configuration)
}

/// In a process of their own, since profiler and pool are the process's.
@Suite("Cost of every variant")
struct VariantCostTests {
  /// Operations at L, 2L and 4L: a quadratic variant comes close to four times per doubling, since
  /// its linear parts still count; one that is linear in L doubles; L√L lies near 2.8 at most.
  @Test("Operations grow as the catalog says")
  func operations() async {
    await #expect(processExitsWith: .success) {
      for entry in VariantCatalog.all {
        let flops = try [512, 1024, 2048].map { try Double(cost(entry, length: $0).flops) }
        let expected: ClosedRange<Double> =
          switch entry.about.cost {
          case .linear: 1.9...2.05
          case .linearithmic: 1.9...2.35
          case .rootTimesLinear: 2.05...2.9
          case .quadratic: 3.5...4.01
          }
        for (short, long) in zip(flops, flops.dropFirst()) {
          #expect(expected.contains(long / short), "\(entry.name): \(long / short)")
        }
      }
    }
  }

  @Test("Memory grows in proportion to the length at most")
  func memory() async {
    await #expect(processExitsWith: .success) {
      for entry in VariantCatalog.all {
        let bytes = try [256, 512, 1024].map { try Double(cost(entry, length: $0).peak) }
        for (short, long) in zip(bytes, bytes.dropFirst()) {
          #expect(long / short <= 2.3 && long / short > 1.5, "\(entry.name): \(long / short)")
        }
      }
    }
  }
}
