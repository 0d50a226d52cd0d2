// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation

/// What lies between the ends of cut sequences: pieces, landmarks, sorted blocks.
extension Oracle {
  /// Where the pieces of sequences begin and end, given those of one sequence of n rows.
  package static func cut(_ offsets: [Int], _ pieces: (Int) -> [Int]) -> [Range<Int>] {
    zip(offsets, offsets.dropFirst()).flatMap { start, end in
      let starts = pieces(end - start).map { start + $0 } + [end]
      return zip(starts, starts.dropFirst()).map { $0..<$1 }
    }
  }

  /// The sum or the mean of the rows of each piece.
  package static func reduce(_ x: Matrix, _ pieces: [Range<Int>], mean: Bool) -> Matrix {
    Matrix(pieces.count, x.columns) { piece, column in
      pieces[piece].reduce(0) { $0 + x[$1, column] } / Double(mean ? pieces[piece].count : 1)
    }
  }

  /// exp(x) of each row, divided by its sum.
  package static func softmax(_ x: Matrix) -> Matrix {
    let sums = (0..<x.rows).map { r in
      (0..<x.columns).reduce(0) { $0 + Foundation.exp(x[r, $1]) }
    }
    return x.mapPlaces { row, _, value in Foundation.exp(value) / sums[row] }
  }

  /// Z·V with Z from the iteration written as in the paper.
  package static func nystromInverse(
    _ query: Matrix, _ key: Matrix, _ value: Matrix, heads: Int, offsets: [Int], iterations: Int
  ) -> Matrix {
    let width = query.columns / heads
    var result = Matrix(value.rows, value.columns) { _, _ in 0 }
    for (start, end) in zip(offsets, offsets.dropFirst()) where end > start {
      for head in 0..<heads {
        let columns = head * width..<(head + 1) * width
        let part = { (x: Matrix) in x.rows(start..<end).columns(columns) }
        let a = softmax(
          part(query).times(part(key).transposed).map { $0 / Double(width).squareRoot() })
        let z = iteratedInverse(a, iterations: iterations)
        let y = z.times(part(value))
        for r in 0..<y.rows {
          for c in 0..<width { result[start + r, columns.lowerBound + c] = y[r, c] }
        }
      }
    }
    return result
  }

  /// Z ← ¼·Z·(13I - AZ(15I - AZ(7I - AZ))) from Aᵀ / (largest row sum · largest column sum).
  package static func iteratedInverse(_ a: Matrix, iterations: Int) -> Matrix {
    let minus = { (value: Double, x: Matrix) in
      x.mapPlaces { row, column, element in (row == column ? value : 0) - element }
    }
    let rowSum = (0..<a.rows).map { a.rows($0..<$0 + 1).values.reduce(0, +) }.max() ?? 1
    let columnSum = (0..<a.rows).map { a.columns($0..<$0 + 1).values.reduce(0, +) }.max() ?? 1
    var z = a.transposed.map { $0 / (rowSum * columnSum) }
    for _ in 0..<iterations {
      let az = a.times(z)
      z = z.times(minus(13, az.times(minus(15, az.times(minus(7, az)))))).map { $0 / 4 }
    }
    return z
  }

  /// y[i, c] = Σₜ w[head of c, t]·x[i + t - (T - 1)/2, c] within each sequence.
  package static func depthwiseConvolution(_ x: Matrix, kernel: Matrix, offsets: [Int]) -> Matrix {
    let width = x.columns / kernel.rows
    var result = Matrix(x.rows, x.columns) { _, _ in 0 }
    for (start, end) in zip(offsets, offsets.dropFirst()) {
      for i in start..<end {
        for t in 0..<kernel.columns {
          let from = i + t - (kernel.columns - 1) / 2
          guard from >= start && from < end else { continue }
          for c in 0..<x.columns { result[i, c] += kernel[c / width, t] * x[from, c] }
        }
      }
    }
    return result
  }
}

/// Sorting blocks.
extension Oracle {
  /// exp of S, of which rows' and then columns' logarithms of sums are subtracted again and again.
  ///
  /// - Parameter noise: of a sequence, head, row and column.
  package static func sinkhorn(
    _ scores: Matrix, heads: Int, offsets: [Int], iterations: Int, temperature: Double,
    noise: (Int, Int, Int, Int) -> Double = { _, _, _, _ in 0 }
  ) -> Matrix {
    let columns = scores.columns / heads
    var result = scores.map { _ in 0 }
    for s in 0..<offsets.count - 1 {
      let (first, count) = (offsets[s], offsets[s + 1] - offsets[s])
      for head in 0..<heads {
        var p = Matrix(count, count) { i, j in
          (scores[first + i, head * columns + j] + noise(s, head, i, j)) / temperature
        }
        for _ in 0..<iterations {
          let rows = (0..<count).map { i in logSum((0..<count).map { p[i, $0] }) }
          p = p.mapPlaces { i, _, value in value - rows[i] }
          let sums = (0..<count).map { j in logSum((0..<count).map { p[$0, j] }) }
          p = p.mapPlaces { _, j, value in value - sums[j] }
        }
        for i in 0..<count {
          for j in 0..<count { result[first + i, head * columns + j] = Foundation.exp(p[i, j]) }
        }
      }
    }
    return result
  }

  /// log Σ exp(x).
  package static func logSum(_ x: [Double]) -> Double {
    let high = x.max() ?? 0
    return high + Foundation.log(x.reduce(0) { $0 + Foundation.exp($1 - high) })
  }

  /// Attention of each block to what ``sortedBlocks(_:sorting:offsets:block:heads:groups:shortcut:)``
  /// gives it.
  package static func sortedBlockAttention(
    _ query: Matrix, _ key: Matrix, _ value: Matrix, sorting: Matrix, offsets: [Int], block: Int,
    heads: Int, shortcut: Int, drop: DropoutOracle? = nil
  ) -> Matrix {
    let columns = key.columns
    let both = Matrix(key.rows, 2 * columns) {
      $1 < columns ? key[$0, $1] : value[$0, $1 - columns]
    }
    let sorted = sortedBlocks(
      both, sorting: sorting, offsets: offsets, block: block, heads: heads, groups: 2 * heads,
      shortcut: shortcut)
    var (queries, keys) = ([0], [0])
    for (start, end) in zip(offsets, offsets.dropFirst()) {
      let starts = Array(stride(from: start, to: end, by: block))
      let mixed = shortcut == 0 ? 1 : min(shortcut, starts.count)
      for first in starts {
        let last = min(end, first + block)
        queries.append(last)
        keys.append((keys.last ?? 0) + mixed * min(block, end - start) + last - first)
      }
    }
    return attention(
      sorted.columns(columns..<2 * columns), heads: heads, queries: queries, keys: keys, drop: drop
    ) { row, _, _, keyRow, head in
      product(query, row, sorted.columns(0..<columns), keyRow, heads: heads, head)
        / Double(columns / heads).squareRoot() + sorted[keyRow, 2 * columns + head]
    }
  }

  /// For each block the mixed rows, then its own, with log(w + 1e-9) or 0 in the last columns.
  static func sortedBlocks(
    _ x: Matrix, sorting: Matrix, offsets: [Int], block: Int, heads: Int, groups: Int, shortcut: Int
  ) -> Matrix {
    let width = x.columns / groups
    let columns = sorting.columns / heads
    var rows: [[Double]] = []
    var firstBlock = 0
    for (start, end) in zip(offsets, offsets.dropFirst()) {
      let blocks = stride(from: start, to: end, by: block).map { Array($0..<min(end, $0 + block)) }
      let mixedRow = { (i: Int, t: Int) -> [Double] in
        let present = blocks.indices.filter { t < blocks[$0].count }
        let weight = { (l: Int, head: Int) in sorting[firstBlock + i, head * columns + l] }
        return (0..<x.columns).map { column in
          present.reduce(0) {
            $0 + weight($1, column / width % heads) * x[blocks[$1][t], column]
          }
        }
          + (0..<heads).map { head in
            Foundation.log(present.reduce(0) { $0 + weight($1, head) } + 1e-9)
          }
      }
      for i in blocks.indices {
        for mixed in shortcut == 0 ? [i] : Array(0..<min(shortcut, blocks.count)) {
          rows += (0..<blocks[0].count).map { mixedRow(mixed, $0) }
        }
        rows += blocks[i].map { row in
          (0..<x.columns).map { x[row, $0] } + Array(repeating: 0, count: heads)
        }
      }
      firstBlock += blocks.count
    }
    return Matrix(rows.count, x.columns + heads, rows.flatMap { $0 })
  }
}
