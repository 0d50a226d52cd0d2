// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing
import Training

/// How the optimizer treats the groups of weights.
@Suite struct AdamWGroupTests {
  /// The change of each weight in one step in which every gradient is 1, divided by the rate.
  private func changes(decayVectors: Bool) -> [String: [Float]] {
    let parameters = Parameters(seed: 1)
    let root = parameters.root
    let all = [
      root.weight("matrix", [2, 3], .ones), root.weight("vector", [3], .ones),
      root.weight("poles", [2, 3], .ones, group: .recurrence),
      root.weight("steps", [3], .ones, group: .recurrence),
      root.weight("buffer", [2, 3], .ones, group: .buffer),
    ]
    let optimizer = AdamW(
      parameters,
      AdamW.Settings(
        weightDecay: 0.5, decayVectors: decayVectors, beta2: 0.999, epsilon: 0, clip: 0,
        recurrenceRate: 0.25))
    let before = all.map { parameters.values.values($0.range) }
    // Σ of all elements, so that each gradient is 1.
    let ones = Tensor(shape: [1, 3], [1, 1, 1])
    let rows = all.map { $0.shape.count == 1 ? stackedRow($0.tensor) : $0.tensor }
    let sums = linear(stacked(rows), weight: ones)
    projectSequence(
      sums, projections: [Tensor(shape: [1, sums.rows], [Float](repeating: 1, count: sums.rows))],
      groups: [0], sequences: PackedSequences(count: 1, length: sums.rows)
    ).backward()
    _ = optimizer.update(rate: 0.01, beta1: 0.9)
    return Dictionary(
      uniqueKeysWithValues: zip(all, before).map { parameter, before in
        (
          parameter.name,
          zip(parameters.values.values(parameter.range), before).map { ($0 - $1) / 0.01 }
        )
      })
  }

  /// A vector as a matrix of one row.
  private func stackedRow(_ vector: Tensor) -> Tensor {
    linear(
      Tensor(shape: [1, 1], [1]), weight: stacked([vector]))
  }

  @Test(
    "Recurrences have a rate of their own and never decay; buffers stay", arguments: [false, true])
  func groups(decayVectors: Bool) {
    let expected: [String: Float] = [
      "matrix": -1.5, "vector": decayVectors ? -1.5 : -1, "poles": -0.25, "steps": -0.25,
      "buffer": 0,
    ]
    let found = changes(decayVectors: decayVectors)
    #expect(found.count == expected.count)
    for (name, values) in found {
      #expect(values.allSatisfy { abs($0 - (expected[name] ?? .nan)) < 1e-3 }, "\(name): \(values)")
    }
  }

  /// Equal gradients make a corrected mean equal to them, whatever the betas, if the correction is
  /// 1 - Π β₁.
  @Test("The bias correction goes by the product of betas that vary")
  func varyingBetas() {
    let parameters = Parameters(seed: 1)
    let weight = parameters.root.weight("weight", [1, 1], .ones)
    let optimizer = AdamW(
      parameters,
      AdamW.Settings(weightDecay: 0, decayVectors: false, beta2: 0.999, epsilon: 0, clip: 0))
    for (step, beta1) in [0.9, 0.5, 0.8].enumerated() {
      linear(Tensor(shape: [1, 1], [1]), weight: weight.tensor).backward()
      _ = optimizer.update(rate: 0.01, beta1: beta1)
      let value = parameters.values.values(weight.range)[0]
      #expect(abs(value - (0.99 - 0.01 * Float(step))) < 1e-6)
    }
  }
}
