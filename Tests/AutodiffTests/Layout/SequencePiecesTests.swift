// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport
import Testing

extension EngineTests {
  /// Where sequences are cut.
  @Suite("Pieces of sequences")
  struct SequencePiecesTests {
    static let sequences = PackedSequences(offsets: offsets([7, 0, 1, 20]), capacity: 25)

    @Test("A number of pieces is of nearly equal lengths", arguments: [1, 3, 7, 20, 30])
    func counts(count: Int) {
      let pieces = SequencePieces(Self.sequences, count: count)
      for (sequence, length) in [7, 0, 1, 20].enumerated() {
        let own = pieces.sequences.range(sequence)
        #expect(own.count == min(count, length))
        let lengths = own.map { pieces.rows.length($0) }
        #expect(lengths.reduce(0, +) == length)
        #expect((lengths.max() ?? 0) - (lengths.min() ?? 0) <= 1)
      }
      #expect(pieces.rows.rows == Self.sequences.rows)
      #expect(pieces.sequences.rowCapacity == 4 * min(count, 25))
    }

    @Test("Pieces of a length leave the rest to the last", arguments: [1, 6, 7, 64])
    func lengths(length: Int) {
      let pieces = SequencePieces(Self.sequences, length: length)
      for (sequence, rows) in [7, 0, 1, 20].enumerated() {
        let lengths = pieces.sequences.range(sequence).map { pieces.rows.length($0) }
        #expect(lengths.dropLast().allSatisfy { $0 == length })
        #expect(lengths.reduce(0, +) == rows)
        #expect(lengths.count == (rows + length - 1) / length)
      }
      #expect(pieces.rows.capacity == min(length, 25))
      #expect(pieces.sequences.rowCapacity == 4 * ((25 + length - 1) / length))
    }
  }
}
