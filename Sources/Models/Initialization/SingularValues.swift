// SPDX-License-Identifier: Apache-2.0

/// The singular values and vectors of a matrix, by rotating pairs of its columns until all are
/// orthogonal.
///
/// - Complexity: O(m·n²) for each of about ten sweeps, n being the shorter side; O(m·n) memory.
///
/// Source: one-sided Jacobi; Hestenes (1958), with the rotation of Rutishauser (1966) as in Golub and
/// Van Loan, "Matrix Computations", section 8.6.
package struct SingularValues {
  /// The singular values, falling.
  package let values: [Double]
  private let rows: Int
  private let columns: Int
  private let matrix: [Double]
  /// Orthogonal vectors along the longer side, in the order of `values` and as long as these.
  private let long: [[Double]]

  /// - Parameters:
  ///   - matrix: row-major, `rows` × `columns`.
  package init(_ matrix: [Float], rows: Int, columns: Int) {
    self.init(matrix.map(Double.init), rows: rows, columns: columns)
  }

  /// - Parameters:
  ///   - matrix: row-major, `rows` × `columns`.
  init(_ matrix: [Double], rows: Int, columns: Int) {
    precondition(
      matrix.count == rows * columns, "singular values: \(matrix.count) for \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    self.matrix = matrix
    var vectors = RotatingColumns(
      count: min(rows, columns), length: max(rows, columns)
    ) { column, place in
      rows >= columns ? matrix[place * columns + column] : matrix[column * columns + place]
    }
    vectors.orthogonalize()
    let all = vectors.all.map { ($0.reduce(0) { $0 + $1 * $1 }.squareRoot(), $0) }
      .sorted { $0.0 > $1.0 }
    values = all.map(\.0)
    long = all.map(\.1)
  }

  /// The closest matrix of a rank as a product of two narrow ones, each with the root of the singular
  /// values: expand · reduce.
  ///
  /// - Parameter rank: r, at most the shorter side.
  /// - Returns: [rows × r] and [r × columns].
  package func factors(rank: Int) -> (expand: [Float], reduce: [Float]) {
    let (expand, reduce) = exactFactors(rank: rank)
    return (expand.map(Float.init), reduce.map(Float.init))
  }

  /// The same before rounding.
  func exactFactors(rank: Int) -> (expand: [Double], reduce: [Double]) {
    var expand = [Double](repeating: 0, count: rows * rank)
    var reduce = [Double](repeating: 0, count: rank * columns)
    for k in 0..<rank where values[k] > 0 {
      let root = values[k].squareRoot()
      let (left, right) = vectors(k)
      for i in 0..<rows { expand[i * rank + k] = left[i] * root }
      for j in 0..<columns { reduce[k * columns + j] = right[j] * root }
    }
    return (expand, reduce)
  }

  /// The two unit vectors of one singular value.
  private func vectors(_ k: Int) -> (left: [Double], right: [Double]) {
    let unit = long[k].map { $0 / values[k] }
    if rows >= columns {
      var right = [Double](repeating: 0, count: columns)
      for i in 0..<rows {
        for j in 0..<columns { right[j] += unit[i] * matrix[i * columns + j] }
      }
      return (unit, right.map { $0 / values[k] })
    }
    let left = (0..<rows).map { i in
      (0..<columns).reduce(0.0) { $0 + unit[$1] * matrix[i * columns + $1] }
    }
    return (left.map { $0 / values[k] }, unit)
  }
}

/// Vectors side by side, eight numbers to an element.
private struct RotatingColumns {
  private typealias Lanes = SIMD8<Double>

  private let count: Int
  private let length: Int
  /// Elements of one vector.
  private let step: Int
  private var elements: [Lanes]

  init(count: Int, length: Int, _ value: (_ column: Int, _ place: Int) -> Double) {
    self.count = count
    self.length = length
    step = (length + 7) / 8
    elements = [Lanes](repeating: .zero, count: count * step)
    for column in 0..<count {
      for place in 0..<length {
        elements[column * step + place / 8][place % 8] = value(column, place)
      }
    }
  }

  var all: [[Double]] {
    (0..<count).map { column in
      (0..<length).map { elements[column * step + $0 / 8][$0 % 8] }
    }
  }

  /// Sweeps over all pairs until no rotation is left to do.
  mutating func orthogonalize() {
    let tolerance = 1e-12
    for _ in 0..<40 {
      var squares = (0..<count).map { product($0, $0) }
      // What is left of a dependent column is rounding, and has no direction.
      let least = squares.reduce(0, +) * 1e-28
      var isDone = true
      for p in 0..<count {
        for q in p + 1..<max(count, p + 1) where min(squares[p], squares[q]) > least {
          let cross = product(p, q)
          if abs(cross) <= tolerance * (squares[p] * squares[q]).squareRoot() { continue }
          isDone = false
          let change = rotate(p, q, (squares[q] - squares[p]) / (2 * cross)) * cross
          squares[p] -= change
          squares[q] += change
        }
      }
      if isDone { return }
    }
  }

  private func product(_ p: Int, _ q: Int) -> Double {
    var sum = Lanes.zero
    for i in 0..<step { sum.addProduct(elements[p * step + i], elements[q * step + i]) }
    return sum.sum()
  }

  /// Turns two vectors so that they become orthogonal.
  ///
  /// - Parameter cotangent: of twice the angle.
  /// - Returns: the tangent of the angle.
  private mutating func rotate(_ p: Int, _ q: Int, _ cotangent: Double) -> Double {
    let sign: Double = cotangent < 0 ? -1 : 1
    let tangent = sign / (abs(cotangent) + (1 + cotangent * cotangent).squareRoot())
    let cosine = 1 / (1 + tangent * tangent).squareRoot()
    let sine = cosine * tangent
    for i in 0..<step {
      let (a, b) = (elements[p * step + i], elements[q * step + i])
      elements[p * step + i] = cosine * a - sine * b
      elements[q * step + i] = sine * a + cosine * b
    }
    return tangent
  }
}
