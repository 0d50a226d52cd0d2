// SPDX-License-Identifier: Apache-2.0

/// A matrix taken apart, so that it can be replaced by the product of two narrow ones.
///
/// ```
/// W ≈ W_r = V·U                     the closest matrix of rank r, or, given the rows x that W takes,
/// W_r = argmin E‖(W − W_r)·x‖²      S = E[x·xᵀ], S + εI = G·Gᵀ, W·G = A·Σ·Bᵀ, W_r = A_r·Σ_r·B_rᵀ·G⁻¹
/// ```
/// The error is Σ σᵢ² over i > r, of the relative output where x is given. Both factors get the root of Σ.
/// ε is 1e-6 of the mean of S's diagonal, and more where rounding asks for it.
///
/// Source: Eckart and Young (1936); Chen et al., "DRONE: Data-aware Low-rank Compression" (2021).
package struct NarrowFactors {
  /// σ², falling.
  package let energies: [Double]
  private let values: SingularValues
  private let columns: Int
  /// G, lower triangular; nil without rows.
  private let root: [Double]?

  /// - Parameters:
  ///   - matrix: W, [rows × columns].
  ///   - covariance: Σ x·xᵀ, [columns × columns]; nil for the plain decomposition.
  package init(_ matrix: [Float], rows: Int, columns: Int, covariance: [Double]? = nil) {
    self.columns = columns
    var product = matrix.map(Double.init)
    root = covariance.flatMap { Self.cholesky($0, columns) }
    if let root {
      for i in 0..<rows {
        let row = Array(product[i * columns..<(i + 1) * columns])
        for j in 0..<columns {
          product[i * columns + j] = (j..<columns).reduce(0.0) {
            $0 + row[$1] * root[$1 * columns + j]
          }
        }
      }
    }
    values = SingularValues(product, rows: rows, columns: columns)
    energies = values.values.map { $0 * $0 }
  }

  /// V, [rows × r], and U, [r × columns].
  package func factors(rank: Int) -> (expand: [Float], reduce: [Float]) {
    let (expand, reduce) = values.exactFactors(rank: rank)
    guard let root else { return (expand.map(Float.init), reduce.map(Float.init)) }
    var solved = reduce
    // x·G = y, row by row, from the last column on.
    for k in 0..<rank {
      for j in stride(from: columns - 1, through: 0, by: -1) {
        var value = solved[k * columns + j]
        for i in j + 1..<max(columns, j + 1) {
          value -= solved[k * columns + i] * root[i * columns + j]
        }
        solved[k * columns + j] = value / root[j * columns + j]
      }
    }
    return (expand.map(Float.init), solved.map(Float.init))
  }

  /// G of S + εI = G·Gᵀ; nil where no row has any value.
  ///
  /// Sums of products in fp32 may have eigenvalues a little below zero: ε grows until no pivot shows one.
  private static func cholesky(_ sums: [Double], _ size: Int) -> [Double]? {
    let mean = (0..<size).reduce(0.0) { $0 + sums[$1 * size + $1] } / Double(size)
    guard mean > 0, mean.isFinite else { return nil }
    var share = 1e-6
    while share < 1 {
      if let root = cholesky(sums, size, adding: share * mean) { return root }
      share *= 10
    }
    return nil
  }

  /// G of S + εI; nil where a pivot is less than half of ε, which no S of products has.
  private static func cholesky(_ sums: [Double], _ size: Int, adding epsilon: Double) -> [Double]? {
    var root = sums
    for i in 0..<size { root[i * size + i] += epsilon }
    for j in 0..<size {
      for i in j..<size {
        var value = root[i * size + j]
        for k in 0..<j { value -= root[i * size + k] * root[j * size + k] }
        if i == j, !(value > epsilon / 2) { return nil }
        root[i * size + j] = i == j ? value.squareRoot() : value / root[j * size + j]
      }
    }
    return root
  }
}
