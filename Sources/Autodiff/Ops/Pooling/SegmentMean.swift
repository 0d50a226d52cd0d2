// SPDX-License-Identifier: Apache-2.0

/// The mean row of each piece of each sequence: the landmarks of Nyström attention.
///
/// ```
/// y[p, c] = Σᵢ x[i, c] / n      i over the n rows of piece p
/// ```
/// - Parameters:
///   - x: the columns to average, [N, C].
///   - pieces: of the sequences of x.
/// - Returns: [number of pieces, C].
/// - Complexity: O(N·C) time; memory: the result.
package func segmentMean(_ x: HeadsView, pieces: SequencePieces) -> Tensor {
  reduceSegments("segment mean", x, pieces) { 1 / Float($0) }
}

/// The sum of the rows of each piece of each sequence, as ``segmentMean(_:pieces:)``.
package func segmentSum(_ x: HeadsView, pieces: SequencePieces) -> Tensor {
  reduceSegments("segment sum", x, pieces) { _ in 1 }
}

/// Sums of pieces, times a factor that may depend on their length.
private func reduceSegments(
  _ name: String, _ x: HeadsView, _ pieces: SequencePieces, factor: @escaping (Int) -> Float
) -> Tensor {
  let rows = pieces.rows
  let columns = x.count * x.width
  precondition(
    x.tensor.rows == rows.rows, "\(name): \(x.tensor.shape) for pieces of \(rows.rows) rows")
  let y = Tensor(
    shape: [rows.count, columns],
    storage: Storage(count: pieces.sequences.rowCapacity * columns))
  let (flops, bytes) = (rows.rows * columns, 4 * (rows.rows + rows.count) * columns)
  Profiler.shared.measure(name, flops: flops, bytes: bytes) {
    parallel(rows.count, by: 16) { range, _ in
      for piece in range {
        let to = y.pointer + piece * columns
        to.update(repeating: 0, count: columns)
        for row in rows.range(piece) {
          let from = x.pointer(row, 0)
          for j in 0..<columns { to[j] += from[j] }
        }
        let factor = factor(rows.length(piece))
        for j in 0..<columns { to[j] *= factor }
      }
    }
  }
  return y.recorded(name, from: x.tensor) { dy in
    let targets = HeadTargets([x])
    Profiler.shared.measure(name + " backward", flops: flops, bytes: bytes) {
      parallel(rows.count, by: 16) { range, _ in
        for piece in range {
          let factor = factor(rows.length(piece))
          for head in 0..<x.count {
            // The same row of dy goes to every row of the piece.
            targets.write(
              dy.pointer + piece * columns + head * x.width, row: 0, rows: rows.range(piece), x,
              head, factor: factor)
          }
        }
      }
    }
  }
}
