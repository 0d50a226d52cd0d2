// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// A scalar made of a matrix: L = Σ r[i]·c[j]·y[i, j], with random r and c.
///
/// It gives every element of y a gradient of its own, r[i]·c[j], so an element that goes to the
/// wrong place changes the result.
package struct RandomSum {
  private let rows: [Float]
  private let columns: [Float]

  /// Weights for a matrix of this shape.
  package init(rows: Int, columns: Int, _ random: inout RandomData) {
    self.rows = random.floats(rows, in: 0.5...1.5)
    self.columns = random.floats(columns)
  }

  private init(rows: [Float], columns: [Float]) {
    self.rows = rows
    self.columns = columns
  }

  /// L as a tensor on the tape.
  package func callAsFunction(_ y: Tensor) -> Tensor {
    let one = PackedSequences(count: 1, length: rows.count)
    let row = projectSequence(
      y, projections: [Tensor(shape: [1, rows.count], rows)], groups: [0], sequences: one)
    return linear(row, weight: Tensor(shape: [1, columns.count], columns))
  }

  /// L in double precision.
  package func callAsFunction(_ y: Matrix) -> Double {
    var sum = 0.0
    for i in 0..<y.rows {
      for j in 0..<y.columns { sum += Double(rows[i]) * Double(columns[j]) * y[i, j] }
    }
    return sum
  }

  /// The Euclidean norm of the gradient of y.
  package var norm: Double {
    euclidean(rows.map(Double.init)) * euclidean(columns.map(Double.init))
  }

  /// The same weights for the rows of two matrices, one below the other.
  package func above(_ other: RandomSum) -> RandomSum {
    RandomSum(rows: rows + other.rows, columns: columns)
  }

  /// The same columns' weights, other rows' weights.
  package func withOtherRows(_ random: inout RandomData) -> RandomSum {
    RandomSum(rows: random.floats(rows.count, in: 0.5...1.5), columns: columns)
  }
}

/// The square root of the sum of squares.
package func euclidean(_ values: [Double]) -> Double {
  values.reduce(0) { $0 + $1 * $1 }.squareRoot()
}

/// (f(x + h·v) - f(x - h·v)) / 2h, where only one of the arguments moves.
///
/// In double precision, h = 1e-6 leaves an error near 1e-9 of f: far below that of 32-bit
/// gradients, and small enough to step hardly ever over the corner of a rectifier.
package func directionalDerivative(
  _ f: ([Matrix]) -> Double, at point: [Matrix], moving index: Int, along direction: [Double],
  step: Double = 1e-6
) -> Double {
  let values = [step, -step].map { signedStep in
    var arguments = point
    for i in direction.indices { arguments[index].values[i] += signedStep * direction[i] }
    return f(arguments)
  }
  return (values[0] - values[1]) / (2 * step)
}

/// How far a gradient is from the derivative of an oracle, in units of the gradient's own size.
///
/// Along a random direction v, ⟨g, v⟩ is of the size of ‖g‖, and the rounding of n independent
/// elements adds up to about 1e-7·‖g‖; one wrong element of n changes it by ‖g‖/√n. The result is
/// the largest of |⟨g, v⟩ - dL/dv| / max(‖g‖, floor) over several directions.
package func gradientError(
  _ gradient: [Float], of f: ([Matrix]) -> Double, at point: [Matrix], argument: Int, floor: Double,
  directions: Int = 3, step: Double = 1e-6, _ random: inout RandomData
) -> Double {
  let g = gradient.map(Double.init)
  guard g.allSatisfy(\.isFinite) else { return .infinity }
  let size = max(euclidean(g), floor)
  return (0..<directions).map { _ in
    let v = random.normals(g.count)
    let expected = directionalDerivative(f, at: point, moving: argument, along: v, step: step)
    return abs(zip(g, v).reduce(0) { $0 + $1.0 * $1.1 } - expected) / size
  }.max() ?? .infinity
}
