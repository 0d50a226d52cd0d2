// SPDX-License-Identifier: Apache-2.0

/// Keys and values of one sequence and head in the order of a pattern's slots.
///
/// Panels of slots are packed when a tile first asks for them, so that a piece of the work packs
/// no more than it reads.
struct PackedKeys {
  /// The position of each slot, -1 where there is none.
  let positions: UnsafeMutablePointer<Float>
  private let precision: Precision
  private let keyScale: Float
  private let isPacked: UnsafeMutablePointer<Float>
  private let keys: GatheredRows
  private let keyColumns: UnsafeMutablePointer<Float>
  private let rowSource: GatheredRows
  private let rows: UnsafeMutablePointer<Float>
  private let columnSource: GatheredRows?
  private let columns: UnsafeMutablePointer<Float>
  /// A panel's rows before they are rounded.
  private let gathered: UnsafeMutablePointer<Float>?

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
    precision = kernel.precision
    keyScale = kernel.scale * AttentionKernel.log2e
    isPacked = workspace.zeros(slots / Panels.width)
    positions = copyPositions(piece.pattern.slots, workspace)
    keys = GatheredRows(kernel.key, kernel.keys, piece)
    keyColumns = workspace.floats(slots * precision.steps(keys.width))
    rowSource = GatheredRows(rows, kernel.keys, piece)
    self.rows = workspace.floats(precision.steps(slots) * rowSource.padded)
    columnSource = columns.map { GatheredRows($0, kernel.keys, piece) }
    self.columns = workspace.floats(slots * precision.steps(columnSource?.width ?? 0))
    gathered =
      precision == .fp32 ? nil : workspace.floats(Panels.width * rowSource.padded)
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
    keys.packTransposed(
      places, scale: keyScale, precision, into: keyColumns + first * precision.steps(keys.width))
    let width = rowSource.padded
    let target = rows + precision.steps(first) * width
    rowSource.copy(places, count: Panels.width, into: gathered ?? target)
    if let gathered {
      precision.copySteps(
        gathered, row: width, rows: Panels.width, columns: width, padded: width, into: target,
        row: width)
    }
    if let columnSource {
      columnSource.packTransposed(
        places, scale: 1, precision, into: columns + first * precision.steps(columnSource.width))
    }
  }

  /// result [rows × tile.columns] = left · the scaled keys' columns.
  ///
  /// - Parameter left: rows as wide as a key, in the kernel's precision.
  func multiplyKeys(
    _ left: StridedMatrix, _ rows: Int, _ tile: KeyTile,
    into result: UnsafeMutablePointer<Float>, row: Int
  ) {
    multiply(left, rows, keyColumns, keys.width, tile, into: result, row: row)
  }

  /// As ``multiplyKeys(_:_:_:into:row:)``, with the other columns.
  func multiplyColumns(
    _ left: StridedMatrix, _ rows: Int, _ tile: KeyTile,
    into result: UnsafeMutablePointer<Float>, row: Int
  ) {
    multiply(left, rows, columns, columnSource?.width ?? 0, tile, into: result, row: row)
  }

  private func multiply(
    _ left: StridedMatrix, _ rows: Int, _ packed: UnsafePointer<Float>, _ width: Int,
    _ tile: KeyTile, into result: UnsafeMutablePointer<Float>, row: Int
  ) {
    gemm(
      rows: rows, columns: tile.columns, inner: width, left,
      Panels(
        packed: packed + tile.panel * precision.steps(width), inner: width, precision: precision),
      into: result, stride: row, accumulate: false)
  }

  /// sum [rows, padded] = or += left [rows × the tile's slots] · their rows.
  ///
  /// - Parameters:
  ///   - left: of the first slot, behind ``KeyTile/lead`` floats of the same row that are overwritten.
  ///   - leftRow: floats from one row of it to the next.
  func multiplyRows(
    _ left: UnsafeMutablePointer<Float>, row leftRow: Int, _ rows: Int, _ tile: KeyTile,
    into sum: UnsafeMutablePointer<Float>, _ workspace: Workspace, accumulate: Bool
  ) {
    let width = rowSource.padded
    let mark = workspace.mark
    // Pairs begin at even slots: those before the first get no weight.
    let lead = precision == .fp32 ? 0 : tile.lead
    let (start, inner) = (left - lead, lead + tile.slots.count)
    for r in 0..<rows where lead > 0 { (start + r * leftRow).update(repeating: 0, count: lead) }
    gemm(
      rows: rows, columns: width, inner: inner,
      .rows(start, row: leftRow, rows: rows, columns: inner, precision, workspace),
      Panels(
        rowMajor: self.rows + precision.steps(tile.slots.lowerBound - lead) * width, stride: width,
        precision: precision), into: sum, stride: width, accumulate: accumulate)
    workspace.rewind(to: mark)
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
