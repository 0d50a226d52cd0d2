// SPDX-License-Identifier: Apache-2.0

/// Locality-sensitive hashing of directions: rows that point the same way meet in one bucket.
///
/// ```
/// h(x) = argmax [R·x; -R·x]        R: n/2 random rows for n buckets
/// ```
/// where the first of several largest counts: bucket 0 for a row of zeros.
/// More buckets are products of smaller hashes, h = h₁·n₂ + h₂ and so on, each with rows of its own.
///
/// Source: Andoni et al., "Practical and Optimal LSH for Angular Distance" (2015), arXiv 1509.02897;
/// Kitaev et al., "Reformer: The Efficient Transformer" (2020), arXiv 2001.04451, section 2.
package struct AngularHash: Sendable {
  /// Hashes of one row.
  package let rounds: Int
  /// n₁, n₂, …: even.
  package let factors: [Int]

  /// - Precondition: every factor is even and positive.
  package init(rounds: Int, factors: [Int]) {
    precondition(
      rounds > 0 && !factors.isEmpty && factors.allSatisfy { $0 > 0 && $0 % 2 == 0 },
      "angular hash: \(rounds) rounds of \(factors) buckets")
    self.rounds = rounds
    self.factors = factors
  }

  /// Rows of R for all rounds of one head.
  package var rowCount: Int { rounds * factors.reduce(0) { $0 + $1 / 2 } }
  /// n.
  package var buckets: Int { factors.reduce(1, *) }
}

/// Who sees whom when the positions of each sequence and head are sorted by their buckets and cut
/// into chunks: each its own chunk, itself excepted, and the one before, in every round.
///
/// Positions of one bucket keep their order. No gradient flows.
///
/// - Parameters:
///   - x: what is hashed.
///   - sequences: the sequences.
///   - hash: rounds and buckets.
///   - rows: R, [H·``AngularHash/rowCount``, D]: for each head, round and factor n/2 rows.
///   - chunk: positions of a chunk.
///   - countsOnce: whether a key that is seen in several rounds counts once.
/// - Returns: a pattern for each sequence and head, as ``patternAttention(query:key:value:sequences:patterns:scale:dropout:)``
///   takes them.
/// - Complexity: time 2·D operations for each row of R and position, and O(L + n) to sort a round;
///   memory O(L) for each sequence, head and round.
package func hashedChunks(
  _ x: HeadsView, sequences: PackedSequences, hash: AngularHash, rows: Tensor, chunk: Int,
  countsOnce: Bool
) -> [AttentionPattern] {
  precondition(
    rows.shape == [x.count * hash.rowCount, x.width] && chunk > 0,
    "hashed chunks: rows \(rows.shape) for \(x.count) heads of \(x.width), chunks of \(chunk)")
  let kernel = HashKernel(x, sequences, hash, rows)
  var patterns = Array(
    repeating: AttentionPattern(length: 0), count: sequences.count * x.count)
  kernel.measure("hashed chunks") {
    patterns.withUnsafeMutableBufferPointer { patterns in
      parallel(patterns.count) { index, workspace in
        let orders = kernel.orders(index / x.count, index % x.count, workspace)
        patterns[index] = .sortedChunks(of: orders, size: chunk, countsOnce: countsOnce)
      }
    }
  }
  return patterns
}

private struct HashKernel {
  private let x: HeadsView
  private let sequences: PackedSequences
  private let hash: AngularHash
  private let rows: Tensor

  init(_ x: HeadsView, _ sequences: PackedSequences, _ hash: AngularHash, _ rows: Tensor) {
    self.x = x
    self.sequences = sequences
    self.hash = hash
    self.rows = rows
  }

  func measure(_ name: String, _ kernel: () -> Void) {
    let elements = sequences.rows * x.count
    Profiler.shared.measure(
      name, flops: 2 * elements * hash.rowCount * x.width,
      bytes: 4 * elements * (x.width + 2 * hash.rounds), kernel)
  }

  /// The positions of a sequence sorted by their buckets, once for each round.
  func orders(_ sequence: Int, _ head: Int, _ workspace: Workspace) -> [[Int]] {
    let length = sequences.length(sequence)
    var buckets = [[Int]](
      repeating: [Int](repeating: 0, count: length), count: hash.rounds)
    let products = workspace.floats(hash.rowCount * tileRows)
    let columns = workspace.panels(x.width, tileRows)
    for first in stride(from: 0, to: length, by: tileRows) {
      let count = min(tileRows, length - first)
      let position = sequences.offsets[sequence] + first
      gemm(
        rows: hash.rowCount, columns: Panels.padded(count), inner: x.width,
        StridedMatrix(
          base: rows.pointer + head * hash.rowCount * x.width, rowStride: x.width, columnStride: 1),
        Panels.pack(
          transposed: x.pointer(position, head), stride: x.stride, inner: x.width, columns: count,
          into: columns), into: products, stride: tileRows, accumulate: false)
      for column in stride(from: 0, to: count, by: laneCount) {
        var next = UnsafePointer(products + column)
        for round in 0..<hash.rounds {
          let found = bucket(&next)
          for lane in 0..<min(laneCount, count - column) {
            buckets[round][first + column + lane] = Int(found[lane])
          }
        }
      }
    }
    return buckets.map(sorted)
  }

  /// The buckets of sixteen positions in one round; `next` moves on by the rows of products that it
  /// reads.
  private func bucket(_ next: inout UnsafePointer<Float>) -> Lanes {
    var bucket = Lanes()
    for factor in hash.factors {
      let half = factor / 2
      var (best, high) = (Lanes(), Lanes(repeating: -.infinity))
      for i in 0..<half {
        let product = load(next)
        let size = lanewiseMax(product, -product)
        let number = Lanes(repeating: Float(i))
          .replacing(with: Float(i + half), where: product .< 0)
        best = best.replacing(
          with: number, where: size .> high .| (size .== high .& number .< best))
        high = lanewiseMax(high, size)
        next += tileRows
      }
      bucket = bucket * Float(factor) + best
    }
    return bucket
  }

  /// Positions by bucket, those of one bucket in their order: sorted by counting.
  private func sorted(_ buckets: [Int]) -> [Int] {
    var places = [Int](repeating: 0, count: hash.buckets + 1)
    for bucket in buckets { places[bucket + 1] += 1 }
    for i in 1..<places.count { places[i] += places[i - 1] }
    var order = [Int](repeating: 0, count: buckets.count)
    for (position, bucket) in buckets.enumerated() {
      order[places[bucket]] = position
      places[bucket] += 1
    }
    return order
  }
}
