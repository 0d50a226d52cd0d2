// SPDX-License-Identifier: Apache-2.0

/// A row-major matrix of doubles: the plain arithmetic that fast operations are held against.
package struct Matrix: Sendable, Equatable {
  /// The number of rows.
  package let rows: Int
  /// The number of columns.
  package let columns: Int
  /// Row after row.
  package var values: [Double]

  /// - Precondition: there is a value for each place.
  package init(_ rows: Int, _ columns: Int, _ values: [Double]) {
    precondition(values.count == rows * columns, "matrix: \(values.count) for \(rows) × \(columns)")
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  /// All elements from their row and column.
  package init(_ rows: Int, _ columns: Int, _ element: (Int, Int) -> Double) {
    self.init(rows, columns, (0..<rows * columns).map { element($0 / columns, $0 % columns) })
  }

  /// One element.
  package subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// The matrix product.
  package func times(_ other: Matrix) -> Matrix {
    precondition(columns == other.rows, "matrix: \(columns) columns times \(other.rows) rows")
    var result = [Double](repeating: 0, count: rows * other.columns)
    let width = other.columns
    result.withUnsafeMutableBufferPointer { out in
      other.values.withUnsafeBufferPointer { right in
        for i in 0..<rows {
          for k in 0..<columns {
            let factor = values[i * columns + k]
            for j in 0..<width { out[i * width + j] += factor * right[k * width + j] }
          }
        }
      }
    }
    return Matrix(rows, other.columns, result)
  }

  /// Rows and columns exchanged.
  package var transposed: Matrix { Matrix(columns, rows) { self[$1, $0] } }

  /// Neighbouring rows.
  package func rows(_ range: Range<Int>) -> Matrix {
    Matrix(
      range.count, columns, Array(values[range.lowerBound * columns..<range.upperBound * columns]))
  }

  /// Neighbouring columns.
  package func columns(_ range: Range<Int>) -> Matrix {
    Matrix(rows, range.count) { self[$0, range.lowerBound + $1] }
  }

  /// Every element through a function.
  package func map(_ transform: (Double) -> Double) -> Matrix {
    Matrix(rows, columns, values.map(transform))
  }

  /// Every element through a function of its place and value.
  package func mapPlaces(_ transform: (Int, Int, Double) -> Double) -> Matrix {
    Matrix(rows, columns) { transform($0, $1, self[$0, $1]) }
  }

  /// The sum, element by element.
  package static func + (a: Matrix, b: Matrix) -> Matrix {
    precondition(a.rows == b.rows && a.columns == b.columns, "matrix: sum of different shapes")
    return Matrix(a.rows, a.columns, zip(a.values, b.values).map { $0 + $1 })
  }

  /// The rows of several matrices of one width, one matrix after the other.
  package static func stacked(_ parts: [Matrix]) -> Matrix {
    Matrix(
      parts.reduce(0) { $0 + $1.rows }, parts.first?.columns ?? 0, parts.flatMap(\.values))
  }
}
