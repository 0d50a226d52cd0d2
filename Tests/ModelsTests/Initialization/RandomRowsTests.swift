// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import TestSupport
import Testing

/// The random rows of a Performer.
@Suite("Random rows")
struct RandomRowsTests {
  private func draw(_ rows: RandomRows, heads: Int = 1, seed: UInt64) -> Matrix {
    var random = RandomStream(seed: seed, stream: 0)
    let values = rows.draw(heads: heads, &random)
    return Matrix(heads * rows.count, rows.width, values.map(Double.init))
  }

  /// Every product of two rows of the first `count`.
  private func products(_ rows: Matrix, _ count: Int) -> Matrix {
    let block = rows.rows(0..<count)
    return block.times(block.transposed)
  }

  @Test("The rows of a block are orthogonal, also those of a last one that is not full")
  func orthogonality() {
    var rows = RandomRows(count: 21, width: 8)
    rows.norms = .rootD
    let drawn = draw(rows, heads: 2, seed: 1)
    #expect(drawn.rows == 42)
    for first in [0, 8, 21, 29, 37] {
      let products = products(drawn.rows(first..<drawn.rows), 5)
      let expected = Matrix(5, 5) { $0 == $1 ? 8 : 0 }
      #expect(zip(products.values, expected.values).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    rows.orthogonal = false
    let independent = products(draw(rows, seed: 1), 8)
    #expect((0..<8).allSatisfy { abs(independent[$0, $0] - 8) < 1e-5 })
    #expect((0..<64).contains { abs(independent.values[$0]) > 0.5 && $0 / 8 != $0 % 8 })
  }

  /// A χ² of D degrees of freedom has mean D and variance 2·D.
  @Test("Lengths are those of Gaussian vectors")
  func norms() {
    let drawn = draw(RandomRows(count: 4000, width: 8), seed: 2)
    let squares = (0..<drawn.rows).map { r in
      drawn.rows(r..<r + 1).values.reduce(0) { $0 + $1 * $1 }
    }
    let mean = squares.reduce(0, +) / 4000
    let variance = squares.reduce(0) { $0 + ($1 - 8) * ($1 - 8) } / 4000
    #expect(abs(mean - 8) < 3 * (16.0 / 4000).squareRoot())
    #expect(abs(variance - 16) < 2)
  }

  /// Without the fix of signs the first diagonal element has always the same sign.
  ///
  /// Its mean would be 0.28 away from zero. Here means have the deviation 1/√(8·n).
  @Test("Every element of a block is as often positive as negative")
  func signs() {
    var rows = RandomRows(count: 8 * 500, width: 8)
    rows.norms = .rootD
    let drawn = draw(rows, seed: 3).map { $0 / 8.0.squareRoot() }
    for place in 0..<64 {
      let mean =
        (0..<500).reduce(0) { $0 + drawn[$1 * 8 + place / 8, place % 8] } / 500
      #expect(abs(mean) < 4 / (8.0 * 500).squareRoot(), "element \(place)")
    }
  }

  @Test("Heads, blocks and draws differ")
  func different() {
    let rows = RandomRows(count: 16, width: 8)
    let drawn = draw(rows, heads: 2, seed: 4)
    let blocks = (0..<4).map { drawn.rows($0 * 8..<($0 + 1) * 8) } + [draw(rows, seed: 5)]
    for i in blocks.indices {
      for j in 0..<i { #expect(blocks[i].rows(0..<8) != blocks[j].rows(0..<8)) }
    }
    #expect(draw(rows, heads: 2, seed: 4) == drawn)
  }
}
