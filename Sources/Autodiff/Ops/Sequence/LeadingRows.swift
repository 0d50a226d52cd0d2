// SPDX-License-Identifier: Apache-2.0

extension PackedSequences {
  /// The first `count` rows of each sequence, or all of one that is shorter, packed.
  package func leading(_ count: Int) -> PackedSequences {
    let lengths = (0..<self.count).map { min(count, length($0)) }
    return PackedSequences(
      offsets: lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) },
      capacity: min(count, capacity))
  }
}

/// The first rows of each sequence.
///
/// - Parameters:
///   - x: [N, E], rows of `sequences`.
///   - sequences: the sequences.
///   - leading: which of their rows, ``PackedSequences/leading(_:)``.
/// - Returns: [leading.rows, E].
/// - Complexity: the result's size forward, O(N·E) backward.
package func leadingRows(_ x: Tensor, sequences: PackedSequences, leading: PackedSequences)
  -> Tensor
{
  let width = x.columns
  precondition(x.rows == sequences.rows, "leadingRows: \(x.shape) for \(sequences.rows) rows")
  let y = Tensor(
    shape: [leading.rows, width], storage: Storage(count: leading.rowCapacity * width))
  profileCopy("leading rows", leading.rows * width) {
    forEachSequence(sequences, leading) { all, own in
      (y.pointer + own.lowerBound * width).update(
        from: x.pointer + all.lowerBound * width, count: own.count * width)
    }
  }
  return y.recorded("leading rows", from: x) { dy in
    guard let dx = x.node?.target() else { return }
    profileRows("leading rows backward", x, passes: 1) {
      if !dx.accumulate { dx.pointer.update(repeating: 0, count: x.count) }
      forEachSequence(sequences, leading) { all, own in
        let (from, to) = (dy.pointer + own.lowerBound * width, dx.pointer + all.lowerBound * width)
        for j in 0..<own.count * width { to[j] += from[j] }
      }
    }
  }
}

/// x with other first rows in each sequence.
///
/// - Parameters:
///   - x: [N, E], rows of `sequences`.
///   - rows: [leading.rows, E].
///   - sequences: the sequences.
///   - leading: which of their rows, ``PackedSequences/leading(_:)``.
/// - Returns: [N, E].
/// - Complexity: O(N·E) time and memory.
package func replacingLeadingRows(
  _ x: Tensor, with rows: Tensor, sequences: PackedSequences, leading: PackedSequences
) -> Tensor {
  let width = x.columns
  precondition(
    x.rows == sequences.rows && rows.rows == leading.rows && rows.columns == width,
    "replacingLeadingRows: \(rows.shape) in \(x.shape), \(leading.rows) of \(sequences.rows) rows")
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  profileCopy("replacing leading rows", x.count) {
    combine(
      x.pointer, count: x.count, into: GradientTarget(pointer: y.pointer, accumulate: false))
    forEachSequence(sequences, leading) { all, own in
      (y.pointer + all.lowerBound * width).update(
        from: rows.pointer + own.lowerBound * width, count: own.count * width)
    }
  }
  return y.recorded("replacing leading rows", from: x, rows) { dy in
    let dRows = rows.node?.target()
    profileCopy("replacing leading rows backward", rows.count) {
      forEachSequence(sequences, leading) { all, own in
        let from = dy.pointer + all.lowerBound * width
        if let dRows {
          let to = dRows.pointer + own.lowerBound * width
          for j in 0..<own.count * width { to[j] = dRows.accumulate ? to[j] + from[j] : from[j] }
        }
        from.update(repeating: 0, count: own.count * width)
      }
    }
    x.node?.accept(dy, count: x.count)
  }
}

/// Calls `body` with the rows of each sequence and the places of its first ones.
private func forEachSequence(
  _ sequences: PackedSequences, _ leading: PackedSequences, _ body: (Range<Int>, Range<Int>) -> Void
) {
  precondition(
    sequences.count == leading.count,
    "leading rows: of \(leading.count) sequences, not \(sequences.count)")
  for sequence in 0..<sequences.count {
    body(sequences.range(sequence), leading.range(sequence))
  }
}
