// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport
import Testing

extension EngineTests {
  /// Which elements are dropped: exactly those of the documented rule, and as if by chance.
  @Suite("Dropout")
  struct DropoutTests {
    /// The mask as an operation applies it: 0 + drop(1·1ᵀ), row after row.
    static func mask(_ dropout: Dropout, rows: Int, columns: Int) -> [Float] {
      residualLinear(
        Tensor(shape: [rows, columns], [Float](repeating: 0, count: rows * columns)),
        adding: Tensor(shape: [rows, 1], [Float](repeating: 1, count: rows)),
        weight: Tensor(shape: [columns, 1], [Float](repeating: 1, count: columns)),
        dropout: dropout
      ).values
    }

    static func expected(_ drop: DropoutOracle, rows: Int, columns: Int) -> [Float] {
      (0..<rows * columns).map {
        drop.keeps(row: $0 / columns, column: $0 % columns) ? drop.keepScale : 0
      }
    }

    @Test(
      "Rows are dropped by the documented rule, bit for bit", arguments: [1, 15, 17, 33, 64, 130],
      [0.1, 0.5, 0.9])
    func rows(columns: Int, rate: Float) {
      for (key, firstRow) in [(UInt64(0), 0), (0xDEAD_BEEF_0BAD_CAFE, 1_000_003)] {
        let drop = DropoutOracle(rate: rate, key: key, firstRow: firstRow)
        let found = Self.mask(drop.dropout, rows: 70, columns: columns)
        #expect(found == Self.expected(drop, rows: 70, columns: columns))
      }
    }

    @Test("A part of a batch drops what the whole batch would")
    func partsOfBatch() {
      let whole = Self.mask(Dropout(rate: 0.3, key: 9), rows: 50, columns: 17)
      let part = Self.mask(Dropout(rate: 0.3, key: 9, firstRow: 20), rows: 30, columns: 17)
      #expect(Array(whole[(20 * 17)...]) == part)
    }

    @Test("A rate of zero drops nothing")
    func nothing() {
      #expect(!Dropout.none.isActive)
      #expect(
        Self.mask(Dropout(rate: 0, key: 5), rows: 3, columns: 17)
          == [Float](repeating: 1, count: 51))
    }

    /// With equal scores and one-hot values, the result is the matrix of weights itself.
    @Test("Attention weights are dropped by the documented rule")
    func attentionWeights() {
      let (keys, width, heads, rows) = (150, 160, 2, 70)
      let drop = DropoutOracle(rate: 0.25, key: 0x55_0000_0077, firstRow: 13)
      let zeros = { (count: Int) in
        Tensor(
          shape: [count, heads * width], [Float](repeating: 0, count: count * heads * width))
      }
      let oneHot = (0..<keys * heads * width).map {
        Float($0 / (heads * width) == $0 % (heads * width) % width ? 1 : 0)
      }
      let view = { (tensor: Tensor) in HeadsView(tensor, count: heads, width: width) }
      let y = attention(
        query: view(zeros(rows)), key: view(zeros(keys)),
        value: view(Tensor(shape: [keys, heads * width], oneHot)),
        queries: PackedSequences(count: 1, length: rows),
        keys: PackedSequences(count: 1, length: keys),
        dropout: drop.dropout
      ).values
      for row in 0..<rows {
        for head in 0..<heads {
          for key in 0..<keys {
            let weight = y[(row * heads + head) * width + key]
            let factor = drop.factor(row: row, column: key, head: head + 1)
            #expect(abs(Double(weight) * Double(keys) - factor) < 1e-5)
          }
        }
      }
    }

    @Test("The rate is met, in all and in every row and column", arguments: [0.1, 0.5])
    func rate(rate: Float) {
      let size = 512
      let mask = Self.mask(Dropout(rate: rate, key: 42), rows: size, columns: size)
      #expect(deviations(dropped(mask.indices.map { mask[$0] == 0 }), size * size, rate) < 4)
      for i in 0..<size {
        let row = dropped((0..<size).map { mask[i * size + $0] == 0 })
        let column = dropped((0..<size).map { mask[$0 * size + i] == 0 })
        #expect(deviations(row, size, rate) < 5 && deviations(column, size, rate) < 5)
      }
    }

    /// The chance that two elements are dropped together is the product of their chances.
    @Test("Neighbouring rows, columns, heads and keys are independent", arguments: [0.1, 0.5])
    func independence(rate: Float) {
      let size = 512
      let mask = Self.mask(Dropout(rate: rate, key: 42), rows: size, columns: size)
      let pairs = { (shift: Int) in
        dropped((0..<size * (size - 4)).map { mask[$0] == 0 && mask[$0 + shift] == 0 })
      }
      for shift in [1, 2, 16, 32, size, 2 * size] {
        #expect(deviations(pairs(shift), size * (size - 4), rate * rate) < 4, "shift \(shift)")
      }
      for key: UInt64 in [43, 40, 42 | 1 << 31, 42 | 1 << 40] {
        let other = Self.mask(Dropout(rate: rate, key: key), rows: size, columns: size)
        let both = dropped(mask.indices.map { mask[$0] == 0 && other[$0] == 0 })
        #expect(deviations(both, size * size, rate * rate) < 4, "key \(key)")
      }
      let drop = DropoutOracle(rate: rate, key: 42)
      let heads = dropped(
        (0..<size * size).map {
          !drop.keeps(row: $0 / size, column: $0 % size, head: 1)
            && !drop.keeps(row: $0 / size, column: $0 % size, head: 2)
        })
      #expect(deviations(heads, size * size, rate * rate) < 4)
    }

    private func dropped(_ flags: [Bool]) -> Int { flags.reduce(0) { $0 + ($1 ? 1 : 0) } }

    /// How many standard deviations a count of independent events is from its mean.
    private func deviations(_ count: Int, _ trials: Int, _ chance: Float) -> Double {
      let (n, p) = (Double(trials), Double(chance))
      return abs(Double(count) - n * p) / (n * p * (1 - p)).squareRoot()
    }
  }
}
