// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The fixed cut of a sum over rows: it depends on the shapes alone, so that any number of
/// threads adds the same numbers in the same order.
struct DeterministicReduction {
  private let rows: Int
  private let count: Int
  private let step: Int
  private let tile: Int

  /// - Parameters:
  ///   - rows: rows to sum over.
  ///   - sum: floats of the result; large results get fewer pieces, since each has its own copy.
  ///   - tile: rows of a tile.
  init(rows: Int, sum: Int, tile: Int = tileRows) {
    let byMemory = max(2, (16 << 20) / max(sum, 1))
    let wanted = min(16, byMemory, max(1, rows / (4 * tile)))
    let tiles = (rows + tile - 1) / tile
    step = (tiles + wanted - 1) / wanted * tile
    self.tile = tile
    count = rows == 0 ? 0 : (rows + step - 1) / step
    self.rows = rows
  }

  /// The rows of a piece, a tile at a time.
  private func tiles(_ piece: Int) -> [Range<Int>] {
    let end = min(rows, (piece + 1) * step)
    return stride(from: piece * step, to: end, by: tile).map { $0..<min(end, $0 + tile) }
  }

  /// Sums over all rows of what `add(rows, sums, workspace)` adds for each tile.
  ///
  /// Each part of the tree of pieces is added up by one thread while it is in its caches: on one thread
  /// all of it, on more a few parts for each, so that one that is held up has fewer.
  ///
  /// - Parameter size: how many sums there are.
  func sums(
    _ size: Int, _ add: (Range<Int>, UnsafeMutablePointer<Float>, Workspace) -> Void
  ) -> PartialSums {
    let depth = partDepth
    let sums = PartialSums(pieces: depth.map { 1 << $0 } ?? count, size: size)
    parallel(sums.pieces) { index, workspace in
      let part = depth.map { self.part(index, depth: $0) } ?? index..<index + 1
      addUp(part, into: sums[index], size, workspace, add)
    }
    return sums
  }

  /// How deep in the tree the parts lie that threads take; nil if every piece is one.
  private var partDepth: Int? {
    let threads = Workers.shared.count
    let wanted = threads == 1 ? 1 : 4 * threads
    return count > wanted ? Int(log2(Double(wanted))) : nil
  }

  /// The pieces of one of the parts at a depth of the tree.
  private func part(_ index: Int, depth: Int) -> Range<Int> {
    var part = 0..<count
    for level in (0..<depth).reversed() {
      let halves = Self.halves(part)
      part = index >> level & 1 == 0 ? halves.0 : halves.1
    }
    return part
  }

  private static func halves(_ part: Range<Int>) -> (Range<Int>, Range<Int>) {
    let middle = part.lowerBound + PartialSums.half(part.count)
    return (part.lowerBound..<middle, middle..<part.upperBound)
  }

  private func addUp(
    _ part: Range<Int>, into sums: UnsafeMutablePointer<Float>, _ size: Int,
    _ workspace: Workspace,
    _ add: (Range<Int>, UnsafeMutablePointer<Float>, Workspace) -> Void
  ) {
    if part.count > 1 {
      let (first, second) = Self.halves(part)
      addUp(first, into: sums, size, workspace, add)
      let mark = workspace.mark
      let rest = workspace.floats(PartialSums.padded(size))
      addUp(second, into: rest, size, workspace, add)
      addRow(rest, to: sums, count: size)
      return workspace.rewind(to: mark)
    }
    sums.update(repeating: 0, count: size)
    for rows in tiles(part.lowerBound) {
      let mark = workspace.mark
      add(rows, sums, workspace)
      workspace.rewind(to: mark)
    }
  }
}
