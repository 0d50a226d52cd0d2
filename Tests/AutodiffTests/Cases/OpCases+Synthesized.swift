// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// Attention with terms beside the products of queries and keys, and what makes them.
extension OpCases {
  static let synthesized: [OpCase] =
    [
      widths([17, 1, 33], query: 8, value: 24, heads: 2, scale: 1),
      widths([130, 0, 15], query: 33, value: 16, heads: 2),
      widths([65], query: 1, value: 32, heads: 1),
      widths([15, 65], [33, 130], query: 17, value: 8, heads: 3, scale: 0.3),
    ] + [
      keyBias([17, 1, 33], heads: 2, width: 16, query: 8),
      keyBias([130, 0, 65], heads: 3, width: 24, query: 33, rate: 0.2),
      keyBias([259], heads: 1, width: 8),
    ] + [
      outer([17, 1, 33], fine: 6, coarse: 6, heads: 2, width: 16),
      outer([130, 0, 65], fine: 16, coarse: 9, heads: 2, width: 24),
      outer([259], fine: 33, coarse: 8, heads: 1, width: 32, query: 8),
      outer([33, 130], fine: 48, coarse: 3, heads: 3, width: 8, query: 5, rate: 0.2),
    ] + [
      table([17, 1, 33], of: 33, heads: 2, width: 16),
      table([130, 0, 65], of: 133, heads: 2, width: 24),
      table([65, 2], of: 70, heads: 1, width: 33, factor: true, rate: 0.1),
      table([64, 130, 15], of: 130, heads: 2, width: 16, query: 8, factor: true),
      table([33, 1], of: 40, heads: 3, width: 8, query: 17, rate: 0.3),
    ] + [
      tableRows([17, 1, 33], columns: 15, of: 40), tableRows([130, 0, 65], columns: 33, of: 130),
      mixture(2, 0), mixture(2, 1), mixture(5, 3),
      join(1, [1], heads: 1, factors: true), join(33, [17, 8], heads: 2),
      join(130, [16, 1, 33], heads: 3), join(700, [5, 15], heads: 2, factors: true),
      join(65, [16], heads: 4, factors: true), join(300, [32, 1], heads: 2, factors: true),
    ]

  /// Queries and keys of another width than the values.
  static func widths(
    _ queries: [Int], _ others: [Int]? = nil, query: Int, value: Int, heads: Int,
    scale: Float? = nil
  ) -> OpCase {
    let own = PackedSequences(offsets: offsets(queries))
    let keys = PackedSequences(offsets: offsets(others ?? queries))
    return OpCase(
      "attention \(queries) to \(others ?? queries), \(heads) heads, queries of \(query), values of "
        + "\(value), scale \(scale.map { "\($0)" } ?? "usual")", profiled: "attention",
      [
        .init(own.rows, heads * query, range: -2...2), .init(keys.rows, heads * query),
        .init(keys.rows, heads * value),
      ]
    ) { x in
      Autodiff.attention(
        query: HeadsView(x[0], count: heads, width: query),
        key: HeadsView(x[1], count: heads, width: query),
        value: HeadsView(x[2], count: heads, width: value), queries: own, keys: keys, scale: scale)
    } oracle: { x in
      let factor = scale.map(Double.init) ?? 1 / Double(query).squareRoot()
      return Oracle.attention(x[2], heads: heads, queries: own.offsets, keys: keys.offsets) {
        row, _, _, keyRow, head in
        factor * Oracle.product(x[0], row, x[1], keyRow, heads: heads, head)
      }
    }
  }

  /// Logits with a number for each key, and those of queries and keys if these have a width.
  static func keyBias(
    _ lengths: [Int], heads: Int, width: Int, query: Int = 0, rate: Float = 0
  ) -> OpCase {
    let term: @Sendable ([Matrix]) -> Oracle.Logit = { x in
      { _, _, _, keyRow, head in x[0][keyRow, head] }
    }
    return synthesized(
      "bias of keys", lengths, heads: heads, width: width, query: query, rate: rate,
      { [.init($0, heads, range: -2...2)] }, { .keyBias(HeadsView($0[0], count: heads, width: 1)) },
      term)
  }

  /// Logits that are outer products, with those of queries and keys if these have a width.
  static func outer(
    _ lengths: [Int], fine: Int, coarse: Int, heads: Int, width: Int, query: Int = 0,
    rate: Float = 0
  ) -> OpCase {
    let term: @Sendable ([Matrix]) -> Oracle.Logit = { x in
      { row, _, key, _, head in
        x[0][row, head * fine + key % fine] * x[1][row, head * coarse + key / fine]
      }
    }
    return synthesized(
      "outer \(fine) × \(coarse)", lengths, heads: heads, width: width, query: query, rate: rate,
      { rows in [.init(rows, heads * fine, range: -2...2), .init(rows, heads * coarse)] },
      {
        .outer(
          HeadsView($0[0], count: heads, width: fine), HeadsView($0[1], count: heads, width: coarse)
        )
      }, term)
  }

  /// Logits from a table, with those of queries and keys if these have a width.
  static func table(
    _ lengths: [Int], of length: Int, heads: Int, width: Int, query: Int = 0, factor: Bool = false,
    rate: Float = 0
  ) -> OpCase {
    let term: @Sendable ([Matrix]) -> Oracle.Logit = { x in
      { _, position, key, _, head in
        x[0][head * length + position, key] * (factor ? x[1].values[0] : 1)
      }
    }
    return synthesized(
      "table of \(length)\(factor ? " times a factor" : "")", lengths, heads: heads, width: width,
      query: query, rate: rate,
      { _ in
        [.init(heads * length, length, range: -2...2)] + (factor ? [.init(1, range: 0.5...1)] : [])
      },
      { .table($0[0], factor: factor ? $0[1] : nil) }, term)
  }

  /// The inputs are V, then Q and K if they have a width, then those of the term.
  private static func synthesized(
    _ name: String, _ lengths: [Int], heads: Int, width: Int, query: Int, rate: Float,
    _ inputs: (Int) -> [OpCase.Input], _ term: @escaping @Sendable ([Tensor]) -> AttentionBias,
    _ logits: @escaping @Sendable ([Matrix]) -> Oracle.Logit
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths), capacity: (lengths.max() ?? 0) + 2)
    let drop = DropoutOracle(rate: rate, key: 7 << 33, firstRow: 2)
    let own = query == 0 ? 1 : 3
    let products: [OpCase.Input] =
      query == 0
      ? [] : [.init(sequences.rows, heads * query), .init(sequences.rows, heads * query)]
    return OpCase(
      "attention \(lengths), \(heads) heads of \(width), \(name), queries of \(query), dropout \(rate)",
      profiled: "attention",
      [.init(sequences.rows, heads * width)] + products + inputs(sequences.rows)
    ) { x in
      let value = HeadsView(x[0], count: heads, width: width)
      let term = term(Array(x[own...]))
      if query == 0 {
        return Autodiff.attention(
          logits: term, value: value, sequences: sequences, dropout: drop.dropout)
      }
      return Autodiff.attention(
        query: HeadsView(x[1], count: heads, width: query),
        key: HeadsView(x[2], count: heads, width: query),
        value: value, queries: sequences, keys: sequences, adding: term, dropout: drop.dropout)
    } oracle: { x in
      let logit = logits(Array(x[own...]))
      let scale = 1 / Double(max(query, 1)).squareRoot()
      return Oracle.attention(
        x[0], heads: heads, queries: sequences.offsets, keys: sequences.offsets, drop: drop
      ) { row, position, key, keyRow, head in
        let product =
          query == 0 ? 0 : Oracle.product(x[1], row, x[2], keyRow, heads: heads, head)
        return scale * product + logit(row, position, key, keyRow, head)
      }
    }
  }

  static func tableRows(_ lengths: [Int], columns: Int, of rows: Int) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    return OpCase(
      "table rows \(lengths) of \(rows), \(columns) columns", profiled: "table rows",
      [.init(rows, columns)]
    ) {
      Autodiff.tableRows($0[0], sequences: sequences)
    } oracle: { x in
      Matrix.stacked((0..<sequences.count).map { x[0].rows(0..<sequences.length($0)) })
    }
  }

  static func mixture(_ count: Int, _ index: Int) -> OpCase {
    OpCase(
      "mixture weight \(index) of \(count)", profiled: "mixture weight",
      [.init(count, range: -2...2)]
    ) {
      Autodiff.mixtureWeight($0[0], index)
    } oracle: {
      Matrix(1, 1, [Oracle.softmax($0[0].values)[index]])
    }
  }

  static func join(_ rows: Int, _ widths: [Int], heads: Int, factors: Bool = false) -> OpCase {
    let count = widths.count
    return OpCase(
      "join heads of \(rows) rows, \(heads) of \(widths)\(factors ? " times factors" : "")",
      profiled: "join heads",
      widths.map { .init(rows, heads * $0) }
        + (factors ? Array(repeating: .init(1, range: 0.5...1), count: count) : [])
    ) { x in
      let parts = (0..<count).map { i in
        HeadPart(
          HeadsView(x[i], count: heads, width: widths[i]), scale: factors ? 0.5 : 1,
          factor: factors ? x[count + i] : nil)
      }
      return Autodiff.joinHeads(parts).tensor
    } oracle: { x in
      Oracle.joinHeads(
        (0..<count).map { (x[$0], factors ? 0.5 * x[count + $0].values[0] : 1) }, heads: heads)
    }
  }
}
