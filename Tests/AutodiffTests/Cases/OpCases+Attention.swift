// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// Both kinds of attention: sequences of one row, of a few rows, and of several tiles (query tiles
/// have 64 rows, key tiles 128 forward and 64 backward), heads narrower than a panel, wider, and in
/// between.
extension OpCases {
  /// Which of query, key and value lie side by side in one tensor.
  enum Layout: String, Sendable {
    case packed, separate, queryApart
  }

  static let attention: [OpCase] =
    [
      softmax([17, 1, 33], heads: 2, width: 16), softmax([64, 128], heads: 1, width: 32),
      softmax([15, 65], heads: 3, width: 24, .separate), softmax([33, 2], heads: 1, width: 64),
      softmax([131, 1, 259], heads: 2, width: 32), softmax([130], heads: 2, width: 24, rate: 0.2),
      softmax([201, 15], heads: 1, width: 16, .separate, rate: 0.1, range: -4...4),
      softmax([17, 1, 70], [5, 33, 133], heads: 2, width: 16, .queryApart),
      softmax([1, 130], [300, 1], heads: 1, width: 32, .separate),
      softmax([17, 33], [16, 16], heads: 2, width: 32, .queryApart, rate: 0.3),
      softmax([0, 15, 0, 3], heads: 2, width: 16), softmax([17], heads: 1, width: 1),
      softmax([20, 5], [30, 0], heads: 4, width: 16, .separate),
    ] + [
      kernel([17, 1, 33], heads: 2, width: 16), kernel([130, 15], heads: 2, width: 32),
      kernel([1, 64], heads: 3, width: 24, .separate), kernel([33, 65], heads: 1, width: 64),
      kernel([130], heads: 1, width: 33, epsilon: 0), kernel([0, 15, 17], heads: 2, width: 31),
    ]

  static func softmax(
    _ queries: [Int], _ others: [Int]? = nil, heads: Int, width: Int, _ layout: Layout = .packed,
    rate: Float = 0, range: ClosedRange<Float> = -2...2, precision: Precision = .fp32
  ) -> OpCase {
    let lengths = others ?? queries
    let own = PackedSequences(offsets: offsets(queries), capacity: (queries.max() ?? 0) + 3)
    let keys = PackedSequences(offsets: offsets(lengths))
    let drop = DropoutOracle(rate: rate, key: 99 << 35, firstRow: 11)
    return OpCase(
      "attention \(queries) to \(lengths), \(heads) heads of \(width), \(layout), dropout \(rate)"
        + suffix(precision),
      profiled: "attention", inputs(own.rows, keys.rows, heads * width, layout, range)
    ) { x in
      let (q, k, v) = views(x, heads, width, layout)
      return Autodiff.attention(
        query: q, key: k, value: v, queries: own, keys: keys, dropout: drop.dropout,
        precision: precision)
    } oracle: { x in
      let (q, k, v) = parts(x, heads * width, layout)
      return Oracle.attention(
        q, k, v, heads: heads, queries: own.offsets, keys: keys.offsets, drop: drop)
    }
  }

  static func kernel(
    _ lengths: [Int], heads: Int, width: Int, _ layout: Layout = .packed, epsilon: Float = 0.1
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    return OpCase(
      "linear attention \(lengths), \(heads) heads of \(width), \(layout), epsilon \(epsilon)",
      profiled: "linear attention",
      inputs(sequences.rows, sequences.rows, heads * width, layout, -2...2)
    ) { x in
      let (q, k, v) = views(x, heads, width, layout)
      return Autodiff.linearAttention(
        query: q, key: k, value: v, sequences: sequences, epsilon: epsilon)
    } oracle: { x in
      let (q, k, v) = parts(x, heads * width, layout)
      return Oracle.linearAttention(
        q, k, v, heads: heads, offsets: sequences.offsets, epsilon: Double(epsilon))
    }
  }

  static func inputs(
    _ rows: Int, _ others: Int, _ columns: Int, _ layout: Layout, _ range: ClosedRange<Float>
  ) -> [OpCase.Input] {
    switch layout {
    case .packed: [.init(rows, 3 * columns, range: range)]
    case .separate:
      [
        .init(rows, columns, range: range), .init(others, columns, range: range),
        .init(others, columns),
      ]
    case .queryApart:
      [.init(rows, columns, range: range), .init(others, 2 * columns, range: range)]
    }
  }

  static func views(
    _ x: [Tensor], _ heads: Int, _ width: Int, _ layout: Layout
  ) -> (HeadsView, HeadsView, HeadsView) {
    let view = { (tensor: Tensor, block: Int) in
      HeadsView(tensor, column: block * heads * width, count: heads, width: width)
    }
    return switch layout {
    case .packed: (view(x[0], 0), view(x[0], 1), view(x[0], 2))
    case .separate: (view(x[0], 0), view(x[1], 0), view(x[2], 0))
    case .queryApart: (view(x[0], 0), view(x[1], 0), view(x[1], 1))
    }
  }

  static func parts(
    _ x: [Matrix], _ columns: Int, _ layout: Layout
  ) -> (Matrix, Matrix, Matrix) {
    let block = { (matrix: Matrix, index: Int) in
      matrix.columns(index * columns..<(index + 1) * columns)
    }
    return switch layout {
    case .packed: (block(x[0], 0), block(x[0], 1), block(x[0], 2))
    case .separate: (x[0], x[1], x[2])
    case .queryApart: (x[0], block(x[1], 0), block(x[1], 1))
    }
  }
}
