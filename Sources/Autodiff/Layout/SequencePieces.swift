// SPDX-License-Identifier: Apache-2.0

/// Every sequence of a packed batch, cut into consecutive pieces.
package struct SequencePieces: Sendable {
  /// The rows of each piece, in order: pieces as short sequences.
  package let rows: PackedSequences
  /// The pieces of each sequence: the sequences of a tensor with one row for each piece.
  package let sequences: PackedSequences

  /// Cuts n rows into min(`count`, n) pieces, of which piece i begins at row ⌊i·n / pieces⌋, so
  /// that their lengths differ by one at most.
  ///
  /// - Precondition: `count` is positive.
  package init(_ packed: PackedSequences, count: Int) {
    precondition(count > 0, "pieces: cannot cut into \(count)")
    self.init(packed, longest: (packed.capacity + count - 1) / count) { length in
      let pieces = min(count, length)
      return (0..<pieces).map { $0 * length / pieces }
    }
  }

  /// Cuts into pieces of `length` rows; the last piece of a sequence may be shorter.
  ///
  /// - Precondition: `length` is positive.
  package init(_ packed: PackedSequences, length: Int) {
    precondition(length > 0, "pieces: cannot cut into pieces of \(length)")
    self.init(packed, longest: min(length, packed.capacity)) {
      Array(stride(from: 0, to: $0, by: length))
    }
  }

  /// - Parameters:
  ///   - longest: the rows of the longest piece there can be.
  ///   - starts: where the pieces of a sequence of this length begin; more for longer sequences.
  private init(_ packed: PackedSequences, longest: Int, starts: (Int) -> [Int]) {
    var offsets: [Int] = []
    var counts = [0]
    for sequence in 0..<packed.count {
      offsets += starts(packed.length(sequence)).map { packed.offsets[sequence] + $0 }
      counts.append(offsets.count)
    }
    rows = PackedSequences(offsets: offsets + [packed.rows], capacity: longest)
    sequences = PackedSequences(offsets: counts, capacity: starts(packed.capacity).count)
  }
}
