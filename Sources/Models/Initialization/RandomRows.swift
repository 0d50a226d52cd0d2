// SPDX-License-Identifier: Apache-2.0

import Base

/// Random rows ω for the features of a kernel: M rows of D numbers for each head.
///
/// Rows come in blocks of D that are orthogonal to each other, and each row alone points in any
/// direction with equal probability. Gram and Schmidt's procedure on Gaussian rows gives such a
/// block: it is the QR decomposition whose R has a positive diagonal. That of LAPACK has another
/// sign in some columns, and its Q is not uniformly distributed: averages over it keep an error
/// however many rows there are.
///
/// Source: Choromanski et al., "Rethinking Attention with Performers" (2021), arXiv 2009.14794,
/// section 2.4; Mezzadri, "How to Generate Random Matrices from the Classical Compact Groups"
/// (2007), arXiv math-ph/0609050.
package struct RandomRows: Sendable {
  /// How long the rows are.
  package enum Norms: String, SettingChoice {
    /// As long as Gaussian vectors, so that the kernel is estimated without bias.
    case chi
    /// √D: the kernel is a regularised one, estimated with less variance.
    case rootD = "sqrt-d"
  }

  /// M.
  package var count: Int
  /// D.
  package var width: Int
  /// Whether the rows of a block are orthogonal; else all are independent.
  package var orthogonal = true
  /// How long the rows are.
  package var norms = Norms.chi

  /// Orthogonal rows of random norms.
  package init(count: Int, width: Int) {
    self.count = count
    self.width = width
  }

  /// The rows of all heads, one after the other.
  package func draw(heads: Int, _ random: inout RandomStream) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(heads * count * width)
    for _ in 0..<heads {
      for first in stride(from: 0, to: count, by: width) {
        for direction in directions(min(width, count - first), &random) {
          let norm = norms == .rootD ? Double(width).squareRoot() : length(gaussian(&random))
          result += direction.map { Float($0 * norm) }
        }
      }
    }
    return result
  }

  /// At most D rows of length 1.
  private func directions(_ number: Int, _ random: inout RandomStream) -> [[Double]] {
    var rows: [[Double]] = []
    for _ in 0..<number {
      var row = gaussian(&random)
      if orthogonal {
        for other in rows {
          let part = zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
          for i in row.indices { row[i] -= part * other[i] }
        }
      }
      let norm = length(row)
      rows.append(row.map { $0 / norm })
    }
    return rows
  }

  private func gaussian(_ random: inout RandomStream) -> [Double] {
    (0..<width).map { _ in random.normal() }
  }

  private func length(_ row: [Double]) -> Double {
    row.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }
}
