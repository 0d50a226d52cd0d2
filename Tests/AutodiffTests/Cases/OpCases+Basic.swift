// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation
import TestSupport

/// Operations that models are put together from, with tails of vectors (16), tiles (64) and blocks of
/// numbers (4096).
extension OpCases {
  static let basic: [OpCase] =
    ElementwiseFunction.allCases.flatMap { function in
      [(1, 1), (15, 17), (130, 64)].map { elementwise(function, $0.0, $0.1) }
    }
    + ElementwisePair.allCases.flatMap { function in
      [(1, 1), (15, 17), (130, 64)].map { elementwise(function, $0.0, $0.1) }
    } + [
      square(15, 17), scaled(1, 1), scaled(130, 33), addedRow(1, 1), addedRow(15, 17),
      addedRow(700, 33), rowSoftmax(1, 1), rowSoftmax(15, 17), rowSoftmax(130, 64),
      rowSums(1, 1), rowSums(15, 17), rowSums(130, 64), rowMeans(15, 33),
      joined(1, [1]), joined(15, [17, 1, 33]), joined(130, [16, 16]),
      slice(1, 1, 0..<1), slice(15, 33, 5..<22), slice(130, 64, 0..<16), halves(70, 34),
      transpose(1, 1), transpose(15, 17), transpose(130, 65),
      product(1, 1, 1), product(15, 17, 33), product(130, 64, 65),
      units([1], 1, of: 1), units([17, 0, 33], 3, of: 5), units([70], 2, of: 16),
    ]

  /// The rows themselves; what it tells of them is tested with the importance of heads.
  static func units(_ lengths: [Int], _ units: Int, of width: Int) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    return OpCase(
      "products of \(units) units of \(width), \(lengths)", profiled: "unit products",
      [.init(sequences.rows, units * width)]
    ) {
      unitProducts($0[0], sequences: sequences, width: width) { _ in }
    } oracle: {
      $0[0]
    }
  }

  /// Numbers of which each function is defined, away from its corners.
  private static func range(_ function: ElementwiseFunction) -> ClosedRange<Float> {
    switch function {
    case .log, .squareRoot, .reciprocal: 0.5...2
    case .relu, .absolute: 0.1...1
    default: -2...2
    }
  }

  private static func exact(_ function: ElementwiseFunction) -> (Double) -> Double {
    switch function {
    case .exp: Foundation.exp
    case .log: Foundation.log
    case .sigmoid: { 1 / (1 + Foundation.exp(-$0)) }
    case .tanh: Foundation.tanh
    case .relu: { max($0, 0) }
    case .gelu: Oracle.gelu
    case .squareRoot: { $0.squareRoot() }
    case .square: { $0 * $0 }
    case .reciprocal: { 1 / $0 }
    case .absolute: { abs($0) }
    case .negation: { -$0 }
    }
  }

  static func elementwise(_ function: ElementwiseFunction, _ n: Int, _ c: Int) -> OpCase {
    let hasCorner = function == .relu || function == .absolute
    return OpCase(
      "\(function.rawValue) of \(n)x\(c)", profiled: function.rawValue,
      [
        .init(n, c, range: range(function)) { row, column in
          // Half of the numbers lie on the other side of the corner.
          hasCorner && (row + column) % 2 == 1 ? -1.2 : 0
        }
      ]
    ) { x in
      Autodiff.elementwise(function, x[0])
    } oracle: { x in
      x[0].map(exact(function))
    }
  }

  static func elementwise(_ function: ElementwisePair, _ n: Int, _ c: Int) -> OpCase {
    OpCase(
      "\(function.rawValue) of two \(n)x\(c)", profiled: function.rawValue,
      [.init(n, c), .init(n, c, range: 0.5...2)]
    ) { x in
      Autodiff.elementwise(function, x[0], x[1])
    } oracle: { x in
      x[0].mapPlaces { row, column, a in
        let b = x[1][row, column]
        return switch function {
        case .sum: a + b
        case .difference: a - b
        case .product: a * b
        case .quotient: a / b
        }
      }
    }
  }

  /// A tensor times itself: both contributions reach it.
  static func square(_ n: Int, _ c: Int) -> OpCase {
    OpCase("product of one \(n)x\(c) with itself", profiled: "product", [.init(n, c)]) { x in
      Autodiff.elementwise(.product, x[0], x[0])
    } oracle: { x in
      x[0].map { $0 * $0 }
    }
  }

  static func scaled(_ n: Int, _ c: Int) -> OpCase {
    OpCase("\(n)x\(c) scaled", profiled: "scaled", [.init(n, c)]) { x in
      Autodiff.scaled(x[0], by: -0.75)
    } oracle: { x in
      x[0].map { -0.75 * $0 }
    }
  }

  static func addedRow(_ n: Int, _ c: Int) -> OpCase {
    OpCase("row added to \(n)x\(c)", profiled: "added row", [.init(n, c), .init(c)]) { x in
      adding(x[1], toRowsOf: x[0])
    } oracle: { x in
      x[0].mapPlaces { $2 + x[1].values[$1] }
    }
  }

  static func rowSoftmax(_ n: Int, _ c: Int) -> OpCase {
    OpCase(
      "softmax of rows of \(n)x\(c)", profiled: "row softmax", [.init(n, c, range: -3...3)]
    ) { x in
      Autodiff.rowSoftmax(x[0])
    } oracle: { x in
      let powers = x[0].map(Foundation.exp)
      return powers.mapPlaces { row, _, power in
        power / powers.rows(row..<row + 1).values.reduce(0, +)
      }
    }
  }

  static func rowSums(_ n: Int, _ c: Int) -> OpCase {
    OpCase("sums of rows of \(n)x\(c)", profiled: "row sums", [.init(n, c)]) { x in
      Autodiff.rowSums(x[0])
    } oracle: { x in
      Matrix(n, 1) { row, _ in x[0].rows(row..<row + 1).values.reduce(0, +) }
    }
  }

  static func rowMeans(_ n: Int, _ c: Int) -> OpCase {
    OpCase("means of rows of \(n)x\(c)", profiled: "row sums", [.init(n, c)]) { x in
      Autodiff.rowMeans(x[0])
    } oracle: { x in
      Matrix(n, 1) { row, _ in x[0].rows(row..<row + 1).values.reduce(0, +) / Double(c) }
    }
  }

  static func joined(_ n: Int, _ widths: [Int]) -> OpCase {
    OpCase(
      "columns \(widths) of \(n) joined", profiled: "joined columns", widths.map { .init(n, $0) }
    ) { x in
      joinedColumns(x)
    } oracle: { x in
      Matrix(
        n, widths.reduce(0, +),
        (0..<n).flatMap { row in x.flatMap { $0.rows(row..<row + 1).values } })
    }
  }

  static func slice(_ n: Int, _ c: Int, _ range: Range<Int>) -> OpCase {
    OpCase("columns \(range) of \(n)x\(c)", profiled: "column slice", [.init(n, c)]) { x in
      columnSlice(x[0], range)
    } oracle: { x in
      x[0].columns(range)
    }
  }

  /// A gated unit: one half of the columns gates the other.
  static func halves(_ n: Int, _ c: Int) -> OpCase {
    OpCase("halves of \(n)x\(c), gated", profiled: "column slice", [.init(n, c)]) { x in
      Autodiff.elementwise(
        .product, Autodiff.elementwise(.sigmoid, columnSlice(x[0], 0..<c / 2)),
        columnSlice(x[0], c / 2..<c))
    } oracle: { x in
      x[0].columns(0..<c / 2).mapPlaces { row, column, gate in
        x[0][row, c / 2 + column] / (1 + Foundation.exp(-gate))
      }
    }
  }

  static func transpose(_ n: Int, _ c: Int) -> OpCase {
    OpCase("transpose of \(n)x\(c)", profiled: "transpose", [.init(n, c)]) { x in
      transposed(x[0])
    } oracle: { x in
      x[0].transposed
    }
  }

  static func product(_ m: Int, _ k: Int, _ n: Int) -> OpCase {
    OpCase(
      "matrix product \(m)x\(k)x\(n)", profiled: "transpose", [.init(m, k), .init(k, n)]
    ) { x in
      matrixProduct(x[0], x[1])
    } oracle: { x in
      x[0].times(x[1])
    }
  }
}
