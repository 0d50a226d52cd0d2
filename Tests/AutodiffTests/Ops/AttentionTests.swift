// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport
import Testing

extension EngineTests {
  /// What the table of operations, whose inputs are all of one size, does not reach.
  @Suite("Attention")
  struct AttentionTests {
    /// Relative to the first tile of keys, the weights of the last would be 2^288, more than a float
    /// holds, and those of the first, relative to the last, are nothing.
    @Test("Later keys may have scores far above all earlier ones", arguments: [1, 7, 70])
    func growingScores(queries: Int) {
      let (width, keys, first) = (16, 300, 260)
      let large = (0..<keys * width).map { Float($0 / width < first ? 0 : 50) }
      let values = (0..<keys * width).map { Float($0 / width) }
      let view = { (rows: Int, values: [Float]) in
        HeadsView(Tensor(shape: [rows, width], values), column: 0, count: 1, width: width)
      }
      let y = attention(
        query: view(queries, [Float](repeating: 1, count: queries * width)),
        key: view(keys, large), value: view(keys, values),
        queries: PackedSequences(offsets: [0, queries]), keys: PackedSequences(offsets: [0, keys]))
      let expected = Float(first + keys - 1) / 2
      #expect(y.values.allSatisfy { abs($0 - expected) <= 1e-6 * expected })
    }
  }
}
