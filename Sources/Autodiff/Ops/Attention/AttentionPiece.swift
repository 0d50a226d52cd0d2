// SPDX-License-Identifier: Apache-2.0

/// Tiles of the queries of one sequence and head.
struct AttentionPiece {
  let sequence: Int
  let head: Int
  let pattern: AttentionPattern
  private let part: Int
  private let parts: Int

  init(_ kernel: AttentionKernel, _ sequence: Int, head: Int, part: Int, of parts: Int) {
    self.sequence = sequence
    self.head = head
    pattern = kernel.pattern(sequence, head)
    self.part = part
    self.parts = parts
  }

  /// The tiles of a round that belong to the piece.
  func tiles(_ round: AttentionPattern.Round) -> ArraySlice<AttentionPattern.Tile> {
    let count = round.tiles.count
    return round.tiles[count * part / parts..<count * (part + 1) / parts]
  }

  /// The pattern's uncovered queries, which belong to the first part.
  var uncovered: [Int] { part == 0 ? pattern.uncovered : [] }
}
