// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Oracle {
  /// Softmax attention with the whole matrix of weights, in which most pairs may be left out.
  ///
  /// - Parameters:
  ///   - query: Q; key: K; value: V, [N, H·D].
  ///   - offsets: where the sequences begin and end.
  ///   - drop: multiplies the weights.
  ///   - seen: how often query i sees key j, from the sequence, the head, i and j.
  package static func patternAttention(
    _ query: Matrix, _ key: Matrix, _ value: Matrix, heads: Int, offsets: [Int],
    drop: DropoutOracle? = nil, seen: (Int, Int, Int, Int) -> Int
  ) -> Matrix {
    mix(query, key, value, heads: heads, queries: offsets, keys: offsets) { q, k, first, head in
      // Of sequences that begin at one row, all but the last are empty.
      let sequence = offsets.dropLast().lastIndex { $0 <= first } ?? 0
      let scale = 1 / Double(q.columns).squareRoot()
      let scores = q.times(k.transposed).map { $0 * scale }
      let counts = Matrix(q.rows, k.rows) { Double(seen(sequence, head, $0, $1)) }
      let sums = (0..<q.rows).map { i in
        (0..<k.rows).reduce(0) { $0 + counts[i, $1] * Foundation.exp(scores[i, $1]) }
      }
      return scores.mapPlaces { i, j, score in
        counts[i, j] == 0
          ? 0
          : counts[i, j] * Foundation.exp(score) / sums[i]
            * (drop?.factor(row: first + i, column: j, head: head + 1) ?? 1)
      }
    }
  }
}
