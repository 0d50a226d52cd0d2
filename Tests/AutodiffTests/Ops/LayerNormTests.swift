// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport
import Testing

extension EngineTests {
  /// What must hold for a normalisation beside its agreement with the formula.
  @Suite("Layer norm")
  struct LayerNormTests {
    /// y and dx, where every row has the same gradient.
    private func run(_ x: [Float], _ norm: Norm, dy: [Float]) throws -> [[Float]] {
      let rows = x.count / dy.count
      let leaf = Tensor(shape: [rows, dy.count], x).tracked
      let y = layerNorm(leaf, norm: norm)
      let values = y.values
      let ones = Tensor(shape: [1, rows], [Float](repeating: 1, count: rows))
      let sum = projectSequence(
        y, projections: [ones], groups: [0], sequences: PackedSequences(count: 1, length: rows))
      linear(sum, weight: Tensor(shape: [1, dy.count], dy)).backward()
      return [values, try #require(leaf.gradient).values]
    }

    @Test("A row and its gradient do not depend on its place, to the bit", arguments: [64, 33])
    func place(width: Int) throws {
      var random = RandomData("norm")
      let norm = Norm(
        scale: Tensor(shape: [width], random.floats(width)),
        shift: Tensor(shape: [width], random.floats(width)))
      let (x, dy) = (random.floats(7 * width), random.floats(width))
      let all = try run(x, norm, dy: dy)
      for row in 0..<7 {
        let range = row * width..<(row + 1) * width
        let alone = try run(Array(x[range]), norm, dy: dy)
        for (whole, part) in zip(all, alone) { #expect(Array(whole[range]) == part) }
      }
    }
  }
}
