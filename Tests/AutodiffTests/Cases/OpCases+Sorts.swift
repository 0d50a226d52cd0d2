// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// Sorting blocks: one block, short last blocks, more columns than blocks, vectors with tails.
extension OpCases {
  static let sorts: [OpCase] =
    [
      sinkhorn([5, 1, 0, 17], heads: 2, columns: 17),
      sinkhorn([33], heads: 1, columns: 40, iterations: 1),
      sinkhorn([15, 16], heads: 3, columns: 16, iterations: 3, temperature: 2),
      sinkhorn([7, 3], heads: 2, columns: 9, noise: GumbelNoise(key: 11, firstSequence: 4)),
      sorted([17, 1, 33, 0, 8], block: 4, heads: 2, width: 16),
      sorted([130, 64], block: 15, heads: 1, width: 33, beside: 7),
      sorted([65, 5], block: 17, heads: 3, width: 24),
      sorted([15, 17], block: 64, heads: 2, width: 15),
      sorted([33, 1, 6], block: 4, heads: 2, width: 17, shortcut: 2),
      sorted([130], block: 33, heads: 1, width: 32, shortcut: 9),
      sorted([97, 32], block: 32, heads: 2, width: 32, rate: 0.2),
      sorted([50], block: 20, heads: 1, width: 8, shortcut: 2, rate: 0.3),
      sorted([190], block: 95, heads: 1, width: 64),
    ]

  static func sinkhorn(
    _ sizes: [Int], heads: Int, columns: Int, iterations: Int = 8, temperature: Double = 0.75,
    noise: GumbelNoise? = nil, spread: Float = 0
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(sizes))
    let name =
      "sinkhorn sort \(sizes), \(heads) heads of \(columns), \(iterations) iterations, "
      + "temperature \(temperature), noise \(noise != nil), spread \(spread)"
    return OpCase(
      name, profiled: "sinkhorn sort",
      [
        .init(sequences.rows, heads * columns, range: -3...3) { row, column in
          spread * Float(row * row % 7 - column % 5)
        }
      ]
    ) { x in
      sinkhornSort(
        x[0], sequences: sequences, heads: heads, iterations: iterations,
        temperature: Float(temperature), noise: noise)
    } oracle: { x in
      Oracle.sinkhorn(
        x[0], heads: heads, offsets: sequences.offsets, iterations: iterations,
        temperature: temperature
      ) { sequence, head, row, column in
        Double(noise?.value(sequence: sequence, head: head, row: row, column: column) ?? 0)
      }
    }
  }

  static func sorted(
    _ lengths: [Int], block: Int, heads: Int, width: Int, beside: Int = 0, shortcut: Int = 0,
    rate: Float = 0
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    let pieces = SequencePieces(sequences, length: block)
    let columns = heads * width
    let dropout = Dropout(rate: rate, key: 99 << 35, firstRow: 11)
    let drop = DropoutOracle(rate: rate, key: 99 << 35, firstRow: 11)
    return OpCase(
      "sorted block attention \(lengths) of \(block), \(heads) heads of \(width) beside \(beside), "
        + "shortcut \(shortcut), dropout \(rate)",
      profiled: "sorted block attention",
      [
        .init(sequences.rows, beside + 3 * columns, range: -2...2),
        .init(pieces.sequences.rows, heads * (pieces.sequences.longest + 2), range: 0.1...1),
      ]
    ) { x in
      let view = { HeadsView(x[0], column: beside + $0 * columns, count: heads, width: width) }
      return sortedBlockAttention(
        query: view(0), key: view(1), value: view(2), sorting: x[1], blocks: pieces,
        shortcut: shortcut, dropout: dropout)
    } oracle: { x in
      let part = { x[0].columns(beside + $0 * columns..<beside + ($0 + 1) * columns) }
      return Oracle.sortedBlockAttention(
        part(0), part(1), part(2), sorting: x[1], offsets: sequences.offsets, block: block,
        heads: heads, shortcut: shortcut, drop: drop)
    }
  }
}
