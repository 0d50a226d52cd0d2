// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Chunks of positions sorted by hashes of their rows, one position after the other.
package struct HashOracle: Sendable {
  /// Hashes of one row.
  package let rounds: Int
  /// Buckets of the hashes that are put together to one.
  package let factors: [Int]
  /// Positions of a chunk.
  package let chunk: Int

  /// Describes chunks.
  package init(rounds: Int, factors: [Int], chunk: Int) {
    self.rounds = rounds
    self.factors = factors
    self.chunk = chunk
  }

  /// Rows of the rotation of one head.
  package var rowCount: Int { rounds * factors.reduce(0) { $0 + $1 / 2 } }

  /// h(x) in one round: for each factor the place of the largest of [R·x; -R·x].
  private func bucket(_ x: Matrix, row: Int, _ rotation: Matrix, round: Int) -> Int {
    var first = rowCount / rounds * round
    var bucket = 0
    for factor in factors {
      let products = (0..<factor / 2).map { i in
        (0..<x.columns).reduce(0) { $0 + rotation[first + i, $1] * x[row, $1] }
      }
      let both = products + products.map { -$0 }
      bucket = bucket * factor + (both.indices.max { both[$0] < both[$1] } ?? 0)
      first += factor / 2
    }
    return bucket
  }

  /// How often each position, a row, sees each other in one sequence and head.
  ///
  /// - Parameters:
  ///   - x: the rows that are hashed.
  ///   - rotation: of the head.
  package func counts(_ x: Matrix, _ rotation: Matrix) -> [[Int]] {
    let n = x.rows
    var counts = Array(repeating: Array(repeating: 0, count: n), count: n)
    for round in 0..<rounds {
      let buckets = (0..<n).map { bucket(x, row: $0, rotation, round: round) }
      let order = (0..<n).sorted { (buckets[$0], $0) < (buckets[$1], $1) }
      let chunks = (n + chunk - 1) / chunk
      for (place, i) in order.enumerated() {
        for (other, j) in order.enumerated() where i != j || n == 1 {
          let back = (place / chunk - other / chunk + chunks) % chunks
          if back <= 1 { counts[i][j] += 1 }
        }
      }
    }
    return counts
  }
}
