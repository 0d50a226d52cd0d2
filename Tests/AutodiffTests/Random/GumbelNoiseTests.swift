// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation
import Testing

extension EngineTests {
  /// The noise of the sort.
  @Suite("Gumbel noise")
  struct GumbelNoiseTests {
    private func values(_ noise: GumbelNoise, sequences: Range<Int>) -> [Double] {
      sequences.flatMap { sequence in
        (0..<3).flatMap { head in
          (0..<400).map {
            Double(noise.value(sequence: sequence, head: head, row: $0 / 20, column: $0 % 20))
          }
        }
      }
    }

    /// Mean γ = 0.5772, variance π²/6, and 1/e below 0; a standard error of the mean is 0.0075
    /// here.
    @Test("The distribution is Gumbel's")
    func distribution() {
      let all = values(GumbelNoise(key: 7), sequences: 0..<25)
      let mean = all.reduce(0, +) / Double(all.count)
      let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
      let negative = Double(all.count { $0 < 0 }) / Double(all.count)
      #expect(abs(mean - 0.5772) < 0.03)
      #expect(abs(variance - Double.pi * Double.pi / 6) < 0.1)
      #expect(abs(negative - Foundation.exp(-1)) < 0.015)
      #expect(Set(all).count > all.count * 99 / 100)
    }

    /// u is within 2⁻⁵⁴ of 0 and of 1: -log(54·log 2) and 53·log 2, where -log u is 2⁻⁵³.
    @Test("The ends of the range are finite")
    func ends() {
      #expect(abs(GumbelNoise.value(of: 0) + 3.62247) < 1e-5)
      #expect(abs(GumbelNoise.value(of: .max) - 36.73680) < 1e-5)
      #expect(abs(GumbelNoise.value(of: 1 << 63) - 0.36651) < 1e-5)
      let bits = (0..<64).flatMap { [1 << $0, ~(1 << $0), .max << $0] as [UInt64] }
      #expect(bits.allSatisfy { (-3.63...36.74).contains(GumbelNoise.value(of: $0)) })
    }

    @Test("A part of a batch sees what the whole batch sees")
    func parts() {
      let whole = values(GumbelNoise(key: 7), sequences: 3..<5)
      #expect(values(GumbelNoise(key: 7, firstSequence: 3), sequences: 0..<2) == whole)
      #expect(values(GumbelNoise(key: 8), sequences: 3..<5) != whole)
    }
  }
}
