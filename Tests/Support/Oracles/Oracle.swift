// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Every operation written out from its formula, in double precision and without any haste.
package enum Oracle {
  /// x·Wᵀ + b.
  package static func linear(_ x: Matrix, _ weight: Matrix, _ bias: [Double]? = nil) -> Matrix {
    let product = x.times(weight.transposed)
    guard let bias else { return product }
    return product.mapPlaces { $2 + bias[$1] }
  }

  /// scale ⊙ (x - mean) / √(var + ε) + shift, row by row.
  package static func layerNorm(
    _ x: Matrix, scale: [Double], shift: [Double], epsilon: Double = Double(Float(1e-6))
  ) -> Matrix {
    let width = Double(x.columns)
    var result = x
    for r in 0..<x.rows {
      let row = x.rows(r..<r + 1).values
      let mean = row.reduce(0, +) / width
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / width
      for j in 0..<x.columns {
        result[r, j] = (row[j] - mean) / (variance + epsilon).squareRoot() * scale[j] + shift[j]
      }
    }
    return result
  }

  /// max(x, 0).
  package static func relu(_ x: Double) -> Double { max(x, 0) }

  /// x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
  package static func gelu(_ x: Double) -> Double {
    x / 2 * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }

  /// elu(x) + 1.
  package static func eluPlusOne(_ x: Double) -> Double { x > 0 ? x + 1 : Foundation.exp(x) }

  /// Softmax attention with the whole L × L matrix of weights.
  ///
  /// - Parameters:
  ///   - query: Q, [Nq, H·D]; key and value: K and V, [Nk, H·D].
  ///   - queries: where the sequences of Q begin and end; keys: those of K and V.
  ///   - drop: multiplies the weights.
  package static func attention(
    _ query: Matrix, _ key: Matrix, _ value: Matrix, heads: Int, queries: [Int], keys: [Int],
    drop: DropoutOracle? = nil
  ) -> Matrix {
    mix(query, key, value, heads: heads, queries: queries, keys: keys) { q, k, first, head in
      let scale = 1 / Double(q.columns).squareRoot()
      var weights = q.times(k.transposed).map { $0 * scale }
      for r in 0..<weights.rows {
        let row = weights.rows(r..<r + 1).values
        let high = row.max() ?? 0
        let sum = row.reduce(0) { $0 + Foundation.exp($1 - high) }
        for c in 0..<weights.columns {
          weights[r, c] =
            Foundation.exp(row[c] - high) / sum
            * (drop?.factor(row: first + r, column: c, head: head + 1) ?? 1)
        }
      }
      return weights
    }
  }

  /// Linear attention by the left product: the L × L matrix φ(Q)·φ(K)ᵀ, each row divided by its
  /// sum.
  package static func linearAttention(
    _ query: Matrix, _ key: Matrix, _ value: Matrix, heads: Int, offsets: [Int], epsilon: Double
  ) -> Matrix {
    mix(query, key, value, heads: heads, queries: offsets, keys: offsets) { q, k, _, _ in
      let products = q.map(eluPlusOne).times(k.map(eluPlusOne).transposed)
      let sums = (0..<products.rows).map { products.rows($0..<$0 + 1).values.reduce(0, +) }
      return products.mapPlaces { row, _, value in value / (sums[row] + epsilon) }
    }
  }

  /// weights(Q, K)·V for each sequence and head; `weights` also gets the first row and the head.
  static func mix(
    _ query: Matrix, _ key: Matrix, _ value: Matrix, heads: Int, queries: [Int], keys: [Int],
    weights: (Matrix, Matrix, Int, Int) -> Matrix
  ) -> Matrix {
    let width = query.columns / heads
    var result = Matrix(query.rows, query.columns) { _, _ in 0 }
    for s in 0..<queries.count - 1 {
      let (own, others) = (queries[s]..<queries[s + 1], keys[s]..<keys[s + 1])
      for head in 0..<heads {
        let columns = head * width..<(head + 1) * width
        let mixed = weights(
          query.rows(own).columns(columns), key.rows(others).columns(columns), own.lowerBound, head
        ).times(value.rows(others).columns(columns))
        for r in 0..<mixed.rows {
          for c in 0..<width { result[own.lowerBound + r, columns.lowerBound + c] = mixed[r, c] }
        }
      }
    }
    return result
  }

  /// P·x of each sequence and block of columns, with the columns of P that the sequence reaches.
  package static func projectSequence(
    _ x: Matrix, _ projections: [Matrix], groups: [Int], offsets: [Int]
  ) -> Matrix {
    let count = projections[0].rows
    let width = x.columns / groups.count
    return Matrix((offsets.count - 1) * count, x.columns) { row, column in
      let (sequence, k) = (row / count, row % count)
      let weights = projections[groups[column / width]]
      return (offsets[sequence]..<offsets[sequence + 1]).reduce(0) {
        $0 + weights[k, $1 - offsets[sequence]] * x[$1, column]
      }
    }
  }

  /// The mean of each sequence's rows.
  package static func meanPool(_ x: Matrix, offsets: [Int]) -> Matrix {
    Matrix(offsets.count - 1, x.columns) { s, c in
      (offsets[s]..<offsets[s + 1]).reduce(0) { $0 + x[$1, c] }
        / Double(offsets[s + 1] - offsets[s])
    }
  }

  /// Σ (log Σ exp(x) - (1 - s)·x[label] - s·mean x) / count.
  package static func crossEntropy(
    _ logits: Matrix, labels: [Int32], count: Int, smoothing: Double = 0
  ) -> Double {
    (0..<logits.rows).reduce(0) { sum, r in
      let row = logits.rows(r..<r + 1).values
      let mean = row.reduce(0, +) / Double(row.count)
      return sum + Foundation.log(row.reduce(0) { $0 + Foundation.exp($1) })
        - (1 - smoothing) * row[Int(labels[r])] - smoothing * mean
    } / Double(count)
  }

  /// T²·Σ p·(log p - log q) / count, p and q the softmax of the target's and the logits' rows over T.
  package static func divergence(
    _ logits: Matrix, from target: Matrix, temperature: Double, count: Int
  ) -> Double {
    let answers = { (x: Matrix, r: Int) in
      let row = x.rows(r..<r + 1).values.map { Foundation.exp($0 / temperature) }
      return row.map { $0 / row.reduce(0, +) }
    }
    return (0..<logits.rows).reduce(0) { sum, r in
      zip(answers(target, r), answers(logits, r)).reduce(sum) {
        $0 + temperature * temperature * $1.0 * Foundation.log($1.0 / $1.1)
      }
    } / Double(count)
  }
}
