// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import TestSupport
import Testing

/// What a step of a variant states and what its kernels were counted doing, row by row.
private func rows(_ entry: VariantEntry, length: Int) throws -> [String: OperationStatistics] {
  var configuration = try tinyConfiguration(entry, length: length)
  if let options = VariantCase.of(entry).optionsAtLength?(length) {
    configuration.options.merge(options) { $1 }
  }
  let model = try Classifier(configuration, seed: 1)
  let batch = TinyBatch(lengths: [length, length])
  Profiler.shared.reset()
  crossEntropy(model(batch.packed(capacity: length)), labels: batch.labels).backward()
  return Profiler.shared.statistics
}

/// Whether this build counts.
private var counts: Bool {
  var on = false
  func turnOn() -> Bool {
    on = true
    return on
  }
  assert(turnOn())
  return on
}

/// Operations with loops over single floats, which nothing counts; all are linear in the length.
private let scalar: Set = [
  "cross entropy", "embedding", "leading rows", "mean pool", "residual sum", "ring poles",
  "scaled columns", "scaled rows", "segment mean", "table rows", "unit rows", "zero-order hold",
]

extension EngineTests {
  /// In builds with assertions alone, which count.
  @Suite("Work of kernels", .enabled(if: counts))
  struct WorkTests {
    /// A tenth is left for what is packed once a piece; nearly a third where the number of blocks grows
    /// as the root of the length, and is padded to whole panels.
    @Test("What operations state grows with the length as what their kernels do")
    func growth() async {
      await #expect(processExitsWith: .success) {
        for entry in VariantCatalog.all {
          let slack = VariantCase.of(entry).optionsAtLength == nil ? 0.1 : 0.3
          let (short, long) = (try rows(entry, length: 256), try rows(entry, length: 512))
          for (name, a) in short where a.flops > 0 {
            let b = try #require(long[name])
            let stated = Double(b.flops) / Double(a.flops)
            if 8 * a.work < a.flops {
              #expect(scalar.contains(name.replacing(" backward", with: "")), "\(name)")
              #expect(stated <= 2, "\(entry.name), \(name): \(stated) stated")
            } else {
              let counted = Double(b.work) / Double(a.work)
              #expect(
                abs(stated / counted - 1) < slack,
                "\(entry.name), \(name): \(stated) stated, \(counted) counted")
            }
          }
        }
      }
    }
  }
}
