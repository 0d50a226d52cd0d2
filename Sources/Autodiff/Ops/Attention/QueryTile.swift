// SPDX-License-Identifier: Apache-2.0

/// The queries of one tile.
struct QueryTile {
  let positions: UnsafePointer<Float>
  let count: Int

  /// - Parameter positions: of all queries of the round.
  init(_ tile: AttentionPattern.Tile, _ positions: UnsafePointer<Float>) {
    self.positions = positions + tile.queries.lowerBound
    count = tile.queries.count
  }

  /// Rows of whole blocks of eight, since products of fewer rows are slow.
  ///
  /// What the rest of the last block holds does not matter.
  var padded: Int { (count + 7) & ~7 }

  @inline(__always)
  func position(_ r: Int) -> Int { Int(positions[r]) }
}
