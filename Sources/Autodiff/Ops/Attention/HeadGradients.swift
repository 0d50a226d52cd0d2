// SPDX-License-Identifier: Apache-2.0

/// Sums of the gradients of one sequence and head, by position, in rows of whole panels.
///
/// Where patterns have one round, the gradient of a query is complete when its tile is, and there
/// are no sums of queries.
struct HeadGradients {
  /// Rows beyond the last key that a product in blocks of eight may write to.
  static let spareRows = 7

  let query: UnsafeMutablePointer<Float>
  let key: UnsafeMutablePointer<Float>
  let value: UnsafeMutablePointer<Float>
  private let kernel: AttentionKernel
  private let piece: AttentionPiece

  /// Floats for the longest sequence there could be.
  static func count(_ kernel: AttentionKernel) -> Int {
    queryCapacity(kernel) * kernel.paddedKeyWidth
      + (kernel.keys.capacity + spareRows) * (kernel.paddedKeyWidth + kernel.paddedWidth)
  }

  private static func queryCapacity(_ kernel: AttentionKernel) -> Int {
    kernel.hasOneRound ? 0 : kernel.queries.capacity
  }

  /// Places the sums in ``count(_:)`` floats, whatever these hold.
  init(
    _ kernel: AttentionKernel, _ piece: AttentionPiece, _ memory: UnsafeMutablePointer<Float>
  ) {
    self.kernel = kernel
    self.piece = piece
    query = memory
    key = query + Self.queryCapacity(kernel) * kernel.paddedKeyWidth
    value = key + (kernel.keys.capacity + Self.spareRows) * kernel.paddedKeyWidth
  }

  private var counts: (query: Int, key: Int, value: Int) {
    let (queries, keys) = (
      kernel.hasOneRound ? 0 : kernel.queries.length(piece.sequence),
      kernel.keys.length(piece.sequence)
    )
    return (
      queries * kernel.paddedKeyWidth, keys * kernel.paddedKeyWidth, keys * kernel.paddedWidth
    )
  }

  /// Sets the sums to zero.
  func clear() {
    query.update(repeating: 0, count: counts.query)
    key.update(repeating: 0, count: counts.key)
    value.update(repeating: 0, count: counts.value)
  }

  /// Adds further sums of the same sequence and head.
  func add(_ other: HeadGradients) {
    addRow(other.query, to: query, count: counts.query)
    addRow(other.key, to: key, count: counts.key)
    addRow(other.value, to: value, count: counts.value)
  }

  /// Writes the gradients that were summed up.
  func write(_ targets: HeadTargets) {
    let (row, head) = (kernel.paddedKeyWidth, piece.head)
    let (queries, keys) = (
      kernel.queries.range(piece.sequence), kernel.keys.range(piece.sequence)
    )
    if !kernel.hasOneRound {
      targets.write(query, row: row, rows: queries, kernel.query, head, factor: kernel.scale)
    }
    targets.write(key, row: row, rows: keys, kernel.key, head, factor: kernel.scale)
    targets.write(value, row: kernel.paddedWidth, rows: keys, kernel.value, head)
  }
}

/// sum += row, in whole vectors.
func addRow(_ row: UnsafePointer<Float>, to sum: UnsafeMutablePointer<Float>, count: Int) {
  for j in stride(from: 0, to: count, by: laneCount) {
    store(load(sum + j) + load(row + j), sum + j)
  }
}
