// SPDX-License-Identifier: Apache-2.0

/// Keys and values of one sequence and head in the order of a pattern's slots.
///
/// Panels of 32 slots are packed when a tile first asks for them, so that a piece of the work packs
/// no more than it reads.
struct PackedKeys {
  /// The position of each slot, -1 where there is none.
  let positions: UnsafeMutablePointer<Float>
  private let keyScale: Float
  private let isPacked: UnsafeMutablePointer<Float>
  private let keys: GatheredRows
  private let keyColumns: UnsafeMutablePointer<Float>
  private let rowSource: GatheredRows
  private let rows: UnsafeMutablePointer<Float>
  private let columnSource: GatheredRows?
  private let columns: UnsafeMutablePointer<Float>

  /// Keys as columns, scaled for scores in units of log 2, and what else is needed.
  ///
  /// - Parameters:
  ///   - rows: what is needed as rows.
  ///   - columns: what is needed as columns.
  init(
    _ kernel: AttentionKernel, _ piece: AttentionPiece, rows: HeadsView, columns: HeadsView? = nil,
    _ workspace: Workspace
  ) {
    let slots = piece.pattern.slots.count
    keyScale = kernel.scale * AttentionKernel.log2e
    isPacked = workspace.zeros(slots / Panels.width)
    positions = copyPositions(piece.pattern.slots, workspace)
    keys = GatheredRows(kernel.key, kernel.keys, piece)
    keyColumns = workspace.floats(slots * keys.width)
    rowSource = GatheredRows(rows, kernel.keys, piece)
    self.rows = workspace.floats(slots * rowSource.padded)
    columnSource = columns.map { GatheredRows($0, kernel.keys, piece) }
    self.columns = workspace.floats(slots * (columnSource?.width ?? 0))
  }

  /// Packs what is not yet packed of a tile's panels.
  func prepare(_ tile: KeyTile) {
    for first in stride(from: tile.panel, to: tile.slots.upperBound, by: Panels.width)
    where isPacked[first / Panels.width] == 0 {
      pack(first)
      isPacked[first / Panels.width] = 1
    }
  }

  private func pack(_ first: Int) {
    let places = positions + first
    keys.packTransposed(places, scale: keyScale, into: keyColumns + first * keys.width)
    rowSource.copy(places, count: Panels.width, into: rows + first * rowSource.padded)
    if let columnSource {
      columnSource.packTransposed(places, scale: 1, into: columns + first * columnSource.width)
    }
  }

  /// result [rows × tile.columns] = left · the scaled keys' columns.
  ///
  /// - Parameter left: rows as wide as a key, padded to whole panels.
  func multiplyKeys(
    _ left: UnsafePointer<Float>, _ rows: Int, _ tile: KeyTile,
    into result: UnsafeMutablePointer<Float>, row: Int
  ) {
    multiply(left, rows, keyColumns, keys.width, tile, into: result, row: row)
  }

  /// As ``multiplyKeys(_:_:_:into:row:)``, with the other columns.
  func multiplyColumns(
    _ left: UnsafePointer<Float>, _ rows: Int, _ tile: KeyTile,
    into result: UnsafeMutablePointer<Float>, row: Int
  ) {
    multiply(left, rows, columns, columnSource?.width ?? 0, tile, into: result, row: row)
  }

  private func multiply(
    _ left: UnsafePointer<Float>, _ rows: Int, _ packed: UnsafePointer<Float>, _ width: Int,
    _ tile: KeyTile, into result: UnsafeMutablePointer<Float>, row: Int
  ) {
    gemm(
      rows: rows, columns: tile.columns, inner: width,
      StridedMatrix(base: left, rowStride: Panels.padded(width), columnStride: 1),
      Panels(packed: packed + tile.panel * width, inner: width), into: result, stride: row,
      accumulate: false)
  }

  /// sum [rows, padded] = or += left [rows × the tile's slots] · their rows.
  func multiplyRows(
    _ left: UnsafePointer<Float>, row leftRow: Int, _ rows: Int, _ tile: KeyTile,
    into sum: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    let width = rowSource.padded
    gemm(
      rows: rows, columns: width, inner: tile.slots.count,
      StridedMatrix(base: left, rowStride: leftRow, columnStride: 1),
      Panels(rowMajor: self.rows + tile.slots.lowerBound * width, stride: width), into: sum,
      stride: width, accumulate: accumulate)
  }
}

/// A copy in the workspace, padded with -1 for the rows that are prefetched past the end.
func copyPositions(_ positions: [Float], _ workspace: Workspace) -> UnsafeMutablePointer<Float> {
  let copy = workspace.floats(positions.count + GatheredRows.prefetchDistance)
  positions.withUnsafeBufferPointer { all in
    if let base = all.baseAddress { copy.update(from: base, count: all.count) }
  }
  (copy + positions.count).update(repeating: -1, count: GatheredRows.prefetchDistance)
  return copy
}
