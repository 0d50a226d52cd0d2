// SPDX-License-Identifier: Apache-2.0

import CShims

/// Rows of one sequence and head, to be gathered by position.
///
/// The access pattern is irregular, so rows are prefetched in software, ``prefetchDistance`` ahead.
struct GatheredRows {
  /// Rows between the one that is copied and the one that is prefetched.
  static let prefetchDistance = 64

  let width: Int
  private let base: UnsafePointer<Float>
  private let row: Int

  /// - Parameters:
  ///   - base: the row at position 0.
  ///   - row: floats from one row to the next.
  init(base: UnsafePointer<Float>, row: Int, width: Int) {
    self.base = base
    self.row = row
    self.width = width
  }

  init(_ view: HeadsView, _ sequences: PackedSequences, _ piece: AttentionPiece) {
    self.init(
      base: UnsafePointer(view.pointer(sequences.offsets[piece.sequence], piece.head)),
      row: view.stride, width: view.width)
  }

  /// The width rounded up to whole panels.
  var padded: Int { Panels.padded(width) }

  /// Copies rows, filled up to whole panels with zeros; position -1 gives a row of zeros.
  ///
  /// - Parameter positions: of the rows, followed by ``prefetchDistance`` more.
  func copy(
    _ positions: UnsafePointer<Float>, count: Int, into target: UnsafeMutablePointer<Float>
  ) {
    let padded = padded
    let whole = width / laneCount * laneCount
    for r in 0..<count {
      let next = place(positions[r + Self.prefetchDistance])
      let to = target + r * padded
      let used = positions[r] < 0 ? 0 : whole
      let from = place(positions[r])
      for j in stride(from: 0, to: used, by: laneCount) {
        lra_prefetch(next + j)
        store(load(from + j), to + j)
      }
      if used < padded { fill(positions[r], used, padded, to) }
    }
  }

  /// What follows the whole vectors of a row.
  private func fill(
    _ position: Float, _ first: Int, _ end: Int, _ to: UnsafeMutablePointer<Float>
  ) {
    for j in stride(from: first, to: end, by: laneCount) { store(elements(position, j), to + j) }
  }

  /// Copies a panel's rows as columns; position -1 gives a column of zeros.
  ///
  /// - Parameter positions: as for ``copy(_:count:into:)``.
  func packTransposed(
    _ positions: UnsafePointer<Float>, scale: Float, _ precision: Precision,
    into panel: UnsafeMutablePointer<Float>
  ) {
    for half in stride(from: 0, to: Panels.width, by: laneCount) {
      let places = positions + half
      precision.copyStepsTransposed(columns: width, into: panel + half, row: Panels.width) {
        j, first in
        lra_prefetch(place(places[j + Self.prefetchDistance]) + first)
        return elements(places[j], first) * scale
      }
    }
  }

  /// Sixteen elements of a row, those beyond its end zero.
  @inline(__always)
  private func elements(_ position: Float, _ first: Int) -> Lanes {
    position < 0 ? Lanes() : loadElements(place(position), first, of: width)
  }

  /// Where the row at a position is, or would be.
  @inline(__always)
  private func place(_ position: Float) -> UnsafePointer<Float> { base + Int(position) * row }
}
