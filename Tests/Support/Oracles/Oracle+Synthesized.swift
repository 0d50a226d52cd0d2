// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Attention whose logits are more than products of queries and keys, and the maps around it.
extension Oracle {
  /// A logit of the head `head` between two positions of one sequence; `row` is the query's row.
  package typealias Logit = (_ row: Int, _ query: Int, _ key: Int, _ keyRow: Int, _ head: Int) ->
    Double

  /// softmax(logits)·V for each sequence and head.
  ///
  /// - Parameters:
  ///   - value: V, [Nk, H·D].
  ///   - queries: where the sequences of queries begin and end; keys: those of V.
  package static func attention(
    _ value: Matrix, heads: Int, queries: [Int], keys: [Int], drop: DropoutOracle? = nil,
    logit: Logit
  ) -> Matrix {
    let width = value.columns / heads
    var result = Matrix(queries.last ?? 0, value.columns) { _, _ in 0 }
    for s in 0..<queries.count - 1 {
      let count = keys[s + 1] - keys[s]
      guard count > 0 else { continue }
      for row in queries[s]..<queries[s + 1] {
        for head in 0..<heads {
          let weights = softmax(
            (0..<count).map { logit(row, row - queries[s], $0, keys[s] + $0, head) })
          for j in 0..<count {
            let weight = weights[j] * (drop?.factor(row: row, column: j, head: head + 1) ?? 1)
            for d in head * width..<(head + 1) * width {
              result[row, d] += weight * value[keys[s] + j, d]
            }
          }
        }
      }
    }
    return result
  }

  /// exp(x) / Σ exp(x).
  package static func softmax(_ x: [Double]) -> [Double] {
    let high = x.max() ?? 0
    let powers = x.map { Foundation.exp($0 - high) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  /// Σ q·k over the columns of one head.
  package static func product(
    _ q: Matrix, _ row: Int, _ k: Matrix, _ other: Int, heads: Int, _ head: Int
  ) -> Double {
    let width = q.columns / heads
    return (0..<width).reduce(0) {
      $0 + q[row, head * width + $1] * k[other, head * width + $1]
    }
  }

  /// Head by head, the columns of each part times its factor.
  package static func joinHeads(_ parts: [(x: Matrix, factor: Double)], heads: Int) -> Matrix {
    let rows = parts[0].x.rows
    let values = (0..<rows).flatMap { row in
      (0..<heads).flatMap { head in
        parts.flatMap { part in
          let width = part.x.columns / heads
          return (head * width..<(head + 1) * width).map { part.factor * part.x[row, $0] }
        }
      }
    }
    return Matrix(rows, values.count / rows, values)
  }

  /// A map for each block of columns; weights and biases lie one after the other.
  package static func groupedLinear(
    _ x: Matrix, _ weight: Matrix, _ bias: [Double]?, groups: Int
  ) -> Matrix {
    let (inputs, outputs) = (weight.columns, weight.rows / groups)
    return Matrix(x.rows, weight.rows) { row, column in
      let group = column / outputs
      return (0..<inputs).reduce(bias?[column] ?? 0) {
        $0 + x[row, group * inputs + $1] * weight[column, $1]
      }
    }
  }
}
