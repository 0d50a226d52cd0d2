// SPDX-License-Identifier: Apache-2.0

import Foundation

/// φ of linear attention, written out for one head.
package enum FeatureOracle: Sendable {
  case eluPlusOne
  case relu(epsilon: Double)
  /// Random rows of all heads, below each other, and ε.
  case randomSoftmax(Matrix, Double)
  case randomRelu(Matrix, Double)
  case cosine

  /// Whose largest exponent is subtracted.
  package enum Side: Sendable {
    /// Of each row its own.
    case query
    /// That of all rows.
    case key
  }

  /// φ of the rows of a sequence.
  ///
  /// - Parameter point: the rows from which exponents get their shift; it does not move with x when
  ///   a derivative is taken.
  package func callAsFunction(
    _ x: Matrix, at point: Matrix, head: Int, heads: Int, _ side: Side
  ) -> Matrix {
    switch self {
    case .eluPlusOne: return x.map(Oracle.eluPlusOne)
    case .relu(let epsilon): return x.map { Oracle.relu($0) + epsilon }
    case .randomSoftmax(let rows, let epsilon):
      let own = rows.rows(head * rows.rows / heads..<(head + 1) * rows.rows / heads)
      let exponents = exponents(x, own)
      let shifts = shifts(self.exponents(point, own), side)
      return exponents.mapPlaces { r, c, u in
        let square = scaled(x).rows(r..<r + 1).values.reduce(0) { $0 + $1 * $1 }
        return (exp(u - square / 2 - shifts[r]) + epsilon) / Double(own.rows).squareRoot()
      }
    case .randomRelu(let rows, let epsilon):
      let own = rows.rows(head * rows.rows / heads..<(head + 1) * rows.rows / heads)
      return exponents(x, own).map {
        (Oracle.relu($0) + epsilon) / Double(own.rows).squareRoot()
      }
    case .cosine:
      let rectified = x.map(Oracle.relu)
      return Matrix(x.rows, 2 * x.columns) { r, c in
        let angle = Double.pi * Double(r + 1) / Double(2 * x.rows)
        return c < x.columns
          ? rectified[r, c] * sin(angle) : rectified[r, c - x.columns] * cos(angle)
      }
    }
  }

  /// x/D^¼.
  private func scaled(_ x: Matrix) -> Matrix { x.map { $0 / pow(Double(x.columns), 0.25) } }

  /// ω·x̃.
  private func exponents(_ x: Matrix, _ rows: Matrix) -> Matrix {
    scaled(x).times(rows.transposed)
  }

  private func shifts(_ exponents: Matrix, _ side: Side) -> [Double] {
    (0..<exponents.rows).map { r in
      (side == .key ? exponents : exponents.rows(r..<r + 1)).values.max() ?? 0
    }
  }
}

extension Oracle {
  /// Linear attention by the left product, φ(Q)·φ(K)ᵀ, each row divided by its sum.
  ///
  /// - Parameter point: queries and keys from which exponents get their shifts.
  package static func featureAttention(
    _ query: Matrix, _ key: Matrix, _ value: Matrix, at point: (query: Matrix, key: Matrix),
    heads: Int, offsets: [Int], _ features: FeatureOracle, epsilon: Double = 0, floor: Double = 0
  ) -> Matrix {
    mix(query, key, value, heads: heads, queries: offsets, keys: offsets) { q, k, first, head in
      let part = { (x: Matrix) in
        x.rows(first..<first + q.rows).columns(head * q.columns..<(head + 1) * q.columns)
      }
      let left = features(q, at: part(point.query), head: head, heads: heads, .query)
      let right = features(k, at: part(point.key), head: head, heads: heads, .key)
      let products = left.times(right.transposed)
      let sums = (0..<products.rows).map { products.rows($0..<$0 + 1).values.reduce(0, +) }
      return products.mapPlaces { row, _, value in value / max(sums[row] + epsilon, floor) }
    }
  }
}
