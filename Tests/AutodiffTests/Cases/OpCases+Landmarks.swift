// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// Means of pieces, the inverse between landmarks, convolutions, and attention with a bias on keys.
/// Convolutions have tiles of 256 rows, blocks of eight rows and of eight taps.
extension OpCases {
  static let landmarks: [OpCase] =
    [
      mean([17, 1, 33, 0], pieces: 8, heads: 2, width: 15),
      mean([130, 5], pieces: 64, heads: 1, width: 33),
      mean([15, 64], pieces: 1, heads: 3, width: 17, beside: 20),
      sum([17, 1, 33, 0], block: 5, width: 15), sum([130, 15], block: 64, width: 65, beside: 1),
      nystrom([15], heads: 2, width: 16), nystrom([17, 1, 33, 0], heads: 2, width: 15),
      nystrom([65], heads: 1, width: 33, iterations: 3),
      nystrom([130, 64], heads: 1, width: 32, iterations: 1),
      convolution([17, 1, 33, 0], heads: 2, width: 16, taps: 35),
      convolution([300, 15], heads: 1, width: 33, taps: 5, beside: 3),
      convolution([257, 256], heads: 3, width: 1, taps: 9),
      convolution([65], heads: 2, width: 24, taps: 1),
      biased([17, 1, 33], [33, 1, 65], heads: 2, width: 16),
      biased([130], [300], heads: 1, width: 33),
      biased([15, 0, 65], [17, 15, 0], heads: 3, width: 24),
      sharedKeys([17, 130], heads: 2, width: 15),
    ]

  /// Heads behind `beside` other columns.
  private static func heads(_ x: Tensor, _ count: Int, _ width: Int, _ beside: Int = 0) -> HeadsView
  {
    HeadsView(x, column: beside, count: count, width: width)
  }

  static func mean(
    _ lengths: [Int], pieces: Int, heads: Int, width: Int, beside: Int = 0
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    let columns = beside + heads * width
    return OpCase(
      "segment mean \(lengths), \(pieces) pieces, \(heads) heads of \(width) beside \(beside)",
      profiled: "segment mean", [.init(sequences.rows, columns + beside)]
    ) { x in
      segmentMean(
        self.heads(x[0], heads, width, beside), pieces: SequencePieces(sequences, count: pieces))
    } oracle: { x in
      let cut = Oracle.cut(sequences.offsets) { n in
        (0..<min(n, pieces)).map { $0 * n / min(n, pieces) }
      }
      return Oracle.reduce(x[0].columns(beside..<columns), cut, mean: true)
    }
  }

  static func sum(_ lengths: [Int], block: Int, width: Int, beside: Int = 0) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    return OpCase(
      "segment sum \(lengths), blocks of \(block), width \(width) beside \(beside)",
      profiled: "segment sum", [.init(sequences.rows, beside + width)]
    ) { x in
      segmentSum(
        heads(x[0], 1, width, beside), pieces: SequencePieces(sequences, length: block))
    } oracle: { x in
      let cut = Oracle.cut(sequences.offsets) { Array(stride(from: 0, to: $0, by: block)) }
      return Oracle.reduce(x[0].columns(beside..<beside + width), cut, mean: false)
    }
  }

  static func nystrom(
    _ sizes: [Int], heads: Int, width: Int, iterations: Int = 6, range: ClosedRange<Float> = -3...3
  ) -> OpCase {
    let landmarks = PackedSequences(offsets: offsets(sizes))
    let columns = heads * width
    return OpCase(
      "nystrom inverse \(sizes), \(heads) heads of \(width), \(iterations) iterations, \(range)",
      profiled: "nystrom inverse",
      [.init(landmarks.rows, 2 * columns, range: range), .init(landmarks.rows, columns)]
    ) { x in
      nystromInverse(
        query: self.heads(x[0], heads, width), key: self.heads(x[0], heads, width, columns),
        value: self.heads(x[1], heads, width), landmarks: landmarks, iterations: iterations)
    } oracle: { x in
      Oracle.nystromInverse(
        x[0].columns(0..<columns), x[0].columns(columns..<2 * columns), x[1], heads: heads,
        offsets: landmarks.offsets, iterations: iterations)
    }
  }

  static func convolution(
    _ lengths: [Int], heads: Int, width: Int, taps: Int, beside: Int = 0
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    let columns = heads * width
    return OpCase(
      "depthwise convolution \(lengths), \(heads) heads of \(width) beside \(beside), \(taps) taps",
      profiled: "depthwise convolution",
      [
        .init(sequences.rows, beside + columns), .init(heads, taps),
        .init(sequences.rows, columns),
      ]
    ) { x in
      depthwiseConvolution(
        x[2], adding: self.heads(x[0], heads, width, beside), kernel: x[1], sequences: sequences)
    } oracle: { x in
      x[2]
        + Oracle.depthwiseConvolution(
          x[0].columns(beside..<beside + columns), kernel: x[1], offsets: sequences.offsets)
    }
  }

  /// Keys, values and biases lie in one tensor.
  static func biased(_ queries: [Int], _ others: [Int], heads: Int, width: Int) -> OpCase {
    let own = PackedSequences(offsets: offsets(queries))
    let keys = PackedSequences(offsets: offsets(others))
    let columns = heads * width
    return OpCase(
      "attention \(queries) to \(others) with a bias, \(heads) heads of \(width)",
      profiled: "attention",
      [
        .init(own.rows, columns, range: -2...2),
        .init(keys.rows, 2 * columns + heads, range: -2...2),
      ]
    ) { x in
      Autodiff.attention(
        query: self.heads(x[0], heads, width), key: self.heads(x[1], heads, width),
        value: self.heads(x[1], heads, width, columns),
        queries: own, keys: keys, adding: .keyBias(self.heads(x[1], heads, 1, 2 * columns)))
    } oracle: { x in
      let values = x[1].columns(columns..<2 * columns)
      return Oracle.attention(values, heads: heads, queries: own.offsets, keys: keys.offsets) {
        row, _, _, keyRow, head in
        Oracle.product(x[0], row, x[1].columns(0..<columns), keyRow, heads: heads, head)
          / Double(width).squareRoot() + x[1][keyRow, 2 * columns + head]
      }
    }
  }

  /// Keys are values too: both gradients go to the same columns.
  static func sharedKeys(_ lengths: [Int], heads: Int, width: Int) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    return OpCase(
      "attention \(lengths) with keys as values, \(heads) heads of \(width)", profiled: "attention",
      [.init(sequences.rows, heads * width, range: -2...2), .init(sequences.rows, heads * width)]
    ) { x in
      let others = self.heads(x[1], heads, width)
      return Autodiff.attention(
        query: self.heads(x[0], heads, width), key: others, value: others, queries: sequences,
        keys: sequences)
    } oracle: { x in
      Oracle.attention(
        x[0], x[1], x[1], heads: heads, queries: sequences.offsets, keys: sequences.offsets)
    }
  }
}
