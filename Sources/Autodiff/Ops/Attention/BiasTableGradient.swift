// SPDX-License-Identifier: Apache-2.0

/// The gradients of ``AttentionBias/table(_:factor:)``, sums over the sequences.
///
/// ```
/// dR[h, i, j] = f·Σ dS[i, j]    df = Σ R[h, i, j]·dS[i, j]
/// ```
/// Cut into heads and tiles of positions, with the sequences inside, so that every place of the
/// table is written once and nothing of its size is kept beside it.
struct BiasTableGradient {
  private static let tile = 64

  private let kernel: AttentionKernel
  private let table: Tensor
  private let factor: Tensor?
  private let dy: UnsafePointer<Float>
  private let logSums: UnsafePointer<Float>
  private let packed: PackedOperands
  private let dTable: GradientTarget?

  /// Nil for other terms, and where nobody asks for the gradients.
  init?(_ kernel: AttentionKernel, _ dy: Storage, result: Storage, _ logSums: Storage) {
    guard case .table(let table, let factor) = kernel.term,
      table.node != nil || factor?.node != nil
    else { return nil }
    self.kernel = kernel
    self.table = table
    self.factor = factor
    self.dy = UnsafePointer(dy.pointer)
    self.logSums = UnsafePointer(logSums.pointer)
    packed = PackedOperands(kernel, self.dy, result.pointer)
    dTable = table.node?.target()
  }

  private var length: Int { table.columns }

  func run() {
    let tiles = (length + Self.tile - 1) / Self.tile
    let sums = PartialSums(pieces: tiles * kernel.heads, size: 1)
    // The first positions belong to the most sequences.
    parallel(tiles * kernel.heads) { index, workspace in
      sums[index][0] = addPiece(index / kernel.heads * Self.tile, index % kernel.heads, workspace)
    }
    if let target = factor?.node?.target() { sums.reduce(0, 1, into: target) }
  }

  /// All keys of a tile of positions.
  ///
  /// - Returns: its part of df.
  private func addPiece(_ first: Int, _ head: Int, _ workspace: Workspace) -> Float {
    let size = Self.tile * Self.tile
    let scratch = Scratch(
      weights: workspace.floats(size), gradients: workspace.floats(size),
      sums: workspace.floats(size), positions: workspace.floats(Self.tile))
    let rows = first..<min(length, first + Self.tile)
    var product: Float = 0
    for firstKey in stride(from: 0, to: length, by: Self.tile) {
      let keys = firstKey..<min(length, firstKey + Self.tile)
      scratch.sums.update(repeating: 0, count: size)
      for j in 0..<Self.tile { scratch.positions[j] = Float(firstKey + j) }
      for sequence in 0..<kernel.queries.count {
        addSequence(sequence, head, rows, keys, scratch)
      }
      product += write(
        LogitTile(rows: rows, keys: keys, first: 0, firstKey: 0, head: head), scratch.sums)
    }
    return product
  }

  private struct Scratch {
    let weights: UnsafeMutablePointer<Float>
    let gradients: UnsafeMutablePointer<Float>
    let sums: UnsafeMutablePointer<Float>
    /// Of the keys.
    let positions: UnsafeMutablePointer<Float>
  }

  /// sums += dS of the part of one sequence that lies in these rows and columns of the table.
  private func addSequence(
    _ sequence: Int, _ head: Int, _ rows: Range<Int>, _ keys: Range<Int>, _ scratch: Scratch
  ) {
    let first = kernel.queries.offsets[sequence]
    let last = min(rows.upperBound, kernel.queries.length(sequence))
    let lastKey = min(keys.upperBound, kernel.keys.length(sequence))
    guard last > rows.lowerBound && lastKey > keys.lowerBound else { return }
    let tile = LogitTile(
      rows: first + rows.lowerBound..<first + last, keys: keys.lowerBound..<lastKey, first: first,
      firstKey: kernel.keys.offsets[sequence], head: head)
    let stride = kernel.heads * kernel.width
    let query = kernel.query.pointer(tile.rows.lowerBound, head)
    let dyTile = dy + tile.rows.lowerBound * stride + head * kernel.width
    packed.keys.multiply(
      tile, sequence, StridedMatrix(base: query, rowStride: kernel.query.stride, columnStride: 1),
      into: scratch.weights, row: Self.tile)
    kernel.term.add(tile, to: scratch.weights, row: Self.tile)
    packed.values.multiply(
      tile, sequence, StridedMatrix(base: dyTile, rowStride: stride, columnStride: 1),
      into: scratch.gradients, row: Self.tile)
    for (r, row) in tile.rows.enumerated() {
      let d = scratch.gradients + r * Self.tile
      let place = row * kernel.heads + head
      kernel.differentiate(
        scratch.weights + r * Self.tile, d, count: tile.keys.count, positions: scratch.positions,
        dropKey: kernel.dropKey(sequence, head, row - first), logSum: logSums[place],
        delta: packed.deltas.pointer[place])
      let sums = scratch.sums + r * Self.tile
      for j in 0..<tile.keys.count { sums[j] += d[j] }
    }
  }

  /// Stores or adds f·sums.
  ///
  /// - Returns: Σ R ⊙ sums.
  private func write(_ tile: LogitTile, _ sums: UnsafePointer<Float>) -> Float {
    let factor = factor?.pointer[0] ?? 1
    var product: Float = 0
    for r in 0..<tile.rows.count {
      let from = sums + r * Self.tile
      let values = tile.pointer(r, table)
      product += innerProduct(from, values, count: tile.keys.count)
      guard let dTable else { continue }
      let to = dTable.pointer + (values - table.pointer)
      if dTable.accumulate {
        for j in 0..<tile.keys.count { to[j] += factor * from[j] }
      } else {
        for j in 0..<tile.keys.count { to[j] = factor * from[j] }
      }
    }
    return product
  }
}

/// What many tiles of queries need of each sequence and head, made once.
private struct PackedOperands {
  let keys: Part
  let values: Part
  /// Δ, [N, H].
  let deltas: Storage

  /// Keys or values of all sequences and heads as panels of their transposes.
  struct Part {
    fileprivate let storage: Storage
    fileprivate let width: Int
    fileprivate let heads: Int
    fileprivate let size: Int

    fileprivate init(_ view: HeadsView, _ sequences: PackedSequences) {
      width = view.width
      heads = view.count
      size = Panels.floatCount(inner: view.width, columns: sequences.capacity)
      storage = Storage(count: sequences.count * view.count * size)
    }

    fileprivate func pointer(_ sequence: Int, _ head: Int) -> UnsafeMutablePointer<Float> {
      storage.pointer + (sequence * heads + head) * size
    }

    fileprivate func pack(
      _ view: HeadsView, _ sequences: PackedSequences, _ sequence: Int, _ head: Int, scale: Float
    ) {
      Panels.pack(
        transposed: view.pointer(sequences.offsets[sequence], head), stride: view.stride,
        inner: width, columns: sequences.length(sequence), into: pointer(sequence, head),
        scale: scale)
    }

    /// result = left·part, with the keys of the tile as columns.
    func multiply(
      _ tile: LogitTile, _ sequence: Int, _ left: StridedMatrix,
      into result: UnsafeMutablePointer<Float>, row: Int
    ) {
      gemm(
        rows: tile.rows.count, columns: Panels.count(tile.keys.count) * Panels.width, inner: width,
        left,
        Panels(packed: pointer(sequence, tile.head), inner: width)
          .columns(from: tile.keys.lowerBound),
        into: result, stride: row, accumulate: false)
    }
  }

  init(_ kernel: AttentionKernel, _ dy: UnsafePointer<Float>, _ result: UnsafePointer<Float>) {
    let keys = Part(kernel.key, kernel.keys)
    let values = Part(kernel.value, kernel.keys)
    let deltas = Storage(count: kernel.queries.rowCapacity * kernel.heads)
    parallel(kernel.queries.count * kernel.heads) { index, _ in
      let (sequence, head) = (index / kernel.heads, index % kernel.heads)
      keys.pack(
        kernel.key, kernel.keys, sequence, head, scale: kernel.scale * AttentionKernel.log2e)
      values.pack(kernel.value, kernel.keys, sequence, head, scale: 1)
      for row in kernel.queries.range(sequence) {
        let place = row * kernel.heads + head
        let offset = place * kernel.width
        deltas.pointer[place] = innerProduct(dy + offset, result + offset, count: kernel.width)
      }
    }
    self.keys = keys
    self.values = values
    self.deltas = deltas
  }
}
