// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// What Reformer is made of: rows of length 1, attention in chunks of hashed rows, and residual
/// layers that are undone. What is hashed is constant, since a hash has no derivative.
extension OpCases {
  static let hashed: [OpCase] =
    [
      unit(33, heads: 2, width: 16), unit(1, heads: 3, width: 24), unit(130, heads: 1, width: 65),
      unit(17, heads: 4, width: 15, column: 7),
    ] + [
      chunks([17, 1, 130], heads: 2, .init(rounds: 1, factors: [8], chunk: 20)),
      chunks([65, 2, 33], heads: 2, .init(rounds: 3, factors: [4], chunk: 8), scale: 1),
      chunks([131, 0, 15], heads: 1, .init(rounds: 2, factors: [4, 6], chunk: 32), rate: 0.2),
      chunks([64, 5], heads: 2, .init(rounds: 4, factors: [6], chunk: 16), countsOnce: false),
      chunks([70, 1], heads: 2, .init(rounds: 2, factors: [2], chunk: 1), scale: 0.3),
      chunks([300], heads: 1, .init(rounds: 5, factors: [16], chunk: 64)),
    ] + [
      reversible(17, width: 15), reversible(130, width: 64), reversible(1, width: 33),
    ]

  static func unit(_ rows: Int, heads: Int, width: Int, column: Int = 0) -> OpCase {
    let columns = column..<column + heads * width
    return OpCase(
      "unit rows \(rows), \(heads) heads of \(width) from \(column)", profiled: "unit rows",
      [.init(rows, columns.upperBound)]
    ) {
      unitRows(HeadsView($0[0], column: column, count: heads, width: width), epsilon: 1e-3)
    } oracle: { x in
      Matrix(rows, heads * width) { row, c in
        let first = column + c / width * width
        let square = (first..<first + width).reduce(0) { $0 + x[0][row, $1] * x[0][row, $1] }
        return x[0][row, column + c] / (square + Double(width) * 1e-3).squareRoot()
      }
    }
  }

  /// What is hashed.
  enum Hashed: Sendable {
    /// Rows of random numbers times a factor.
    case times(Float)
    /// Rows of -1, 0 and 1, as the rotations then are too: many products are equal in size, and many
    /// rows are zero.
    case ties
  }

  static func chunks(
    _ lengths: [Int], heads: Int, _ hash: HashOracle, scale: Float? = nil,
    countsOnce: Bool = true, rate: Float = 0, hashed: Hashed = .times(1)
  ) -> OpCase {
    let (width, sequences) = (16, PackedSequences(offsets: offsets(lengths)))
    let drop = DropoutOracle(rate: rate, key: 99 << 35, firstRow: 11)
    let name =
      "hashed chunks \(lengths), \(heads) heads, \(hash.rounds) rounds of \(hash.factors), chunks "
      + "of \(hash.chunk), once \(countsOnce), dropout \(rate), hashed \(hashed)"
    let (x, rotation) = values(
      hashed, name, sequences.rows * heads * width, heads * hash.rowCount * width)
    let counts = HashCase(
      x: Matrix(sequences.rows, heads * width, x.map(Double.init)),
      rotation: Matrix(heads * hash.rowCount, width, rotation.map(Double.init)),
      sequences: sequences, hash: hash
    ).counts.map { $0.map { $0.map { countsOnce ? min(1, $0) : $0 } } }
    return OpCase(
      name, profiled: "hashed chunks",
      inputs(sequences.rows, sequences.rows, heads * width, .packed, -2...2)
    ) { inputs in
      let (q, k, v) = views(inputs, heads, width, .packed)
      let patterns = hashedChunks(
        HeadsView(Tensor(shape: [sequences.rows, heads * width], x), count: heads, width: width),
        sequences: sequences, hash: AngularHash(rounds: hash.rounds, factors: hash.factors),
        rows: Tensor(shape: [heads * hash.rowCount, width], rotation), chunk: hash.chunk,
        countsOnce: countsOnce)
      return patternAttention(
        query: q, key: k, value: v, sequences: sequences, patterns: patterns, scale: scale,
        dropout: drop.dropout)
    } oracle: { inputs in
      let (q, k, v) = parts(inputs, heads * width, .packed)
      return Oracle.patternAttention(
        q.map { $0 * Double(scale ?? 0.25) * 4 }, k, v, heads: heads, offsets: sequences.offsets,
        drop: drop
      ) { counts[$0 * heads + $1][$2][$3] }
    }
  }

  /// The rows that are hashed, and the rotations.
  private static func values(
    _ hashed: Hashed, _ name: String, _ count: Int, _ rotations: Int
  ) -> ([Float], [Float]) {
    var random = RandomData(name + " hashed")
    let (x, rotation) = (random.floats(count), random.floats(rotations))
    switch hashed {
    case .times(let factor): return (x.map { factor * $0 }, rotation)
    // A fifteenth of the numbers are not 0.
    case .ties: return (x.map { ($0 * 0.535).rounded() }, rotation.map { ($0 * 0.8).rounded() })
    }
  }

  /// y = x + (u + u·Wᵀ) - u, twice, so that the second one undoes itself before the first.
  static func reversible(_ rows: Int, width: Int) -> OpCase {
    let drop = DropoutOracle(rate: 0.2, key: 7)
    return OpCase(
      "reversible sum \(rows)x\(width)", profiled: "reversible sum",
      [.init(rows, width), .init(rows, width), .init(width, width), .init(width, width)]
    ) { x in
      let layer = { (u: Tensor, weight: Tensor) in
        Autodiff.residualLinear(u, adding: u, weight: weight, dropout: drop.dropout)
      }
      let y = reversibleSum(x[0], x[1], overwriting: false, others: [x[2]]) { layer($0, x[2]) }
      let second = reversibleSum(x[1], y, overwriting: false, others: [x[3]]) { layer($0, x[3]) }
      let third = reversibleSum(y, second, overwriting: true, others: [x[2]]) { layer($0, x[2]) }
      return Autodiff.residualSum(second, adding: third)
    } oracle: { x in
      let branch = { (u: Matrix, weight: Matrix) in
        u.times(weight.transposed).mapPlaces { row, column, value in
          value * drop.factor(row: row, column: column)
        }
      }
      let y = x[0] + branch(x[1], x[2])
      let second = x[1] + branch(y, x[3])
      return second + y + branch(second, x[2])
    }
  }
}

/// Who sees whom, for each sequence and head.
private struct HashCase {
  let x: Matrix
  let rotation: Matrix
  let sequences: PackedSequences
  let hash: HashOracle

  var counts: [[[Int]]] {
    let (width, rows) = (rotation.columns, hash.rowCount)
    return (0..<sequences.count).flatMap { sequence in
      (0..<x.columns / width).map { head in
        hash.counts(
          x.rows(sequences.range(sequence)).columns(head * width..<(head + 1) * width),
          rotation.rows(head * rows..<(head + 1) * rows))
      }
    }
  }
}
