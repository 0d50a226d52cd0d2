// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// Columns normalised over all rows, or by given numbers.
extension OpCases {
  static let batchNorms: [OpCase] =
    [(1, 15), (2, 33), (17, 64), (130, 17), (700, 33)].flatMap { rows, width in
      [batch(rows, width: width, given: false), batch(rows, width: width, given: true)]
    }

  static func batch(_ rows: Int, width: Int, given: Bool) -> OpCase {
    var random = RandomData("statistics \(width)")
    let statistics = ColumnStatistics(
      mean: random.floats(width), variance: random.floats(width, in: 0.1...2))
    let epsilon: Float = 1e-2
    return OpCase(
      "batch norm \(rows)x\(width), given \(given)", profiled: "batch norm",
      [.init(rows, width), .init(width), .init(width)]
    ) { x in
      batchNorm(
        x[0], norm: Norm(scale: x[1], shift: x[2], epsilon: epsilon),
        given: given ? statistics : nil
      ).y
    } oracle: { x in
      let columns = (0..<width).map { c in (0..<rows).map { x[0][$0, c] } }
      return Matrix(rows, width) { row, c in
        let own = columns[c].reduce(0, +) / Double(rows)
        let mean = given ? Double(statistics.mean[c]) : own
        let variance =
          given
          ? Double(statistics.variance[c])
          : columns[c].reduce(0) { $0 + ($1 - own) * ($1 - own) } / Double(rows)
        let normal = (x[0][row, c] - mean) / (variance + Double(epsilon)).squareRoot()
        // A vector is a matrix with one column.
        return x[1][c, 0] * normal + x[2][c, 0]
      }
    }
  }
}
