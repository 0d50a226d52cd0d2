// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The result for the queries of one piece, a tile at a time: over all keys that a tile sees, with
/// a running reference and sum.
struct AttentionForward {
  private static let keyTile = 128
  /// Floats of a row of scores; the last vector of a tile may reach beyond its columns.
  private static let scoreRow = keyTile + laneCount
  /// The rescaling threshold of the online softmax, in units of log 2.
  ///
  /// A row keeps its running maximum until scores exceed it by more. Weights of up to 2^8 are as exact as those up to 1.
  private static let slack: Float = 8

  private let kernel: AttentionKernel
  private let piece: AttentionPiece
  private let keys: PackedKeys
  private let repeats: RepeatedPairs?
  private let workspace: Workspace
  /// The row at position 0.
  private let firstRow: Int
  private let queryRows: UnsafeMutablePointer<Float>
  private let scores: UnsafeMutablePointer<Float>
  private let result: UnsafeMutablePointer<Float>
  private let references: UnsafeMutablePointer<Float>
  private let sums: UnsafeMutablePointer<Float>

  init(_ kernel: AttentionKernel, _ piece: AttentionPiece, _ workspace: Workspace) {
    self.kernel = kernel
    self.piece = piece
    keys = PackedKeys(kernel, piece, rows: kernel.value, workspace)
    repeats = RepeatedPairs(piece.pattern, workspace)
    self.workspace = workspace
    firstRow = kernel.queries.offsets[piece.sequence]
    queryRows = workspace.floats(tileRows * kernel.paddedKeyWidth)
    scores = workspace.floats(tileRows * Self.scoreRow)
    result = workspace.floats(tileRows * kernel.paddedWidth)
    references = workspace.floats(tileRows)
    sums = workspace.floats(tileRows * laneCount)
  }

  /// Writes the result of the first round's queries, or adds what a later round's queries see.
  func run(_ index: Int, into y: Tensor, _ logSums: Storage) {
    let round = piece.pattern.rounds[index]
    let positions = copyPositions(round.queries, workspace)
    let source = GatheredRows(kernel.query, kernel.queries, piece)
    for tile in piece.tiles(round) {
      let queries = QueryTile(tile, positions)
      source.copy(queries.positions, count: queries.count, into: queryRows)
      let mark = workspace.mark
      let left = kernel.left(queryRows, queries, width: kernel.keyWidth, workspace)
      var isEmpty = true
      for step in round.steps[tile.steps] {
        piece.pattern.forEachKeyTile(of: step, tile.span, width: Self.keyTile) {
          add(queries, left, $0, isFirst: isEmpty)
          isEmpty = false
        }
      }
      if isEmpty { clear(queries) }
      workspace.rewind(to: mark)
      finish(queries, isFirst: index == 0, into: y, logSums)
    }
  }

  /// What is summed up of queries that see nothing.
  private func clear(_ queries: QueryTile) {
    references.update(repeating: -.infinity, count: queries.count)
    sums.update(repeating: 0, count: queries.count * laneCount)
    result.update(repeating: 0, count: queries.count * kernel.paddedWidth)
  }

  /// - Parameters:
  ///   - left: the queries' rows, in the kernel's precision.
  ///   - isFirst: whether the sums begin with this tile.
  private func add(_ queries: QueryTile, _ left: StridedMatrix, _ tile: KeyTile, isFirst: Bool) {
    keys.prepare(tile)
    keys.multiplyKeys(left, queries.padded, tile, into: scores, row: Self.scoreRow)
    let first = scores + tile.lead
    if let logits = kernel.logitTile(piece, queries, tile) {
      kernel.term.add(logits, to: first, row: Self.scoreRow)
    }
    tile.mask(first, row: Self.scoreRow, queries, keys.positions)
    repeats?.lower(first, row: Self.scoreRow, queries, tile)
    refer(first, queries, tile.slots.count, isFirst: isFirst)
    for r in 0..<queries.count {
      exponentiate(first + r * Self.scoreRow, r, tile.slots.count, isFirst: isFirst)
    }
    if kernel.dropout.isActive { dropWeights(first, queries, tile) }
    keys.multiplyRows(
      first, row: Self.scoreRow, queries.padded, tile, into: result, workspace,
      accumulate: !isFirst)
  }

  /// Fills rows of scores up with -∞ to whole vectors, and sets their references, or raises those that
  /// are exceeded too far.
  private func refer(
    _ rows: UnsafeMutablePointer<Float>, _ queries: QueryTile, _ count: Int, isFirst: Bool
  ) {
    var excess = Lanes(repeating: -.infinity)
    for r in 0..<queries.count {
      let row = rows + r * Self.scoreRow
      fillVector(row, from: count, with: -.infinity)
      let high = maximumLanes(row, count: count)
      if isFirst {
        references[r] = horizontalMax(high)
      } else {
        excess = lanewiseMax(excess, high - references[r])
      }
    }
    if horizontalMax(excess) <= Self.slack { return }
    for r in 0..<queries.count {
      let high = horizontalMax(rows + r * Self.scoreRow, count: count)
      if high > references[r] + Self.slack { rescale(r, to: high) }
    }
  }

  /// Turns a row of scores into weights relative to the row's reference.
  @inline(__always)
  private func exponentiate(
    _ row: UnsafeMutablePointer<Float>, _ r: Int, _ count: Int, isFirst: Bool
  ) {
    // Where no pair counts, all scores are -∞, and so is the reference.
    let shift = references[r] == -.infinity ? 0 : references[r]
    var sum = isFirst ? Lanes() : load(sums + r * laneCount)
    var j = 0
    while j < count {
      let p = exp2(load(row + j) - shift)
      sum += p
      store(p, row + j)
      j &+= laneCount
    }
    store(sum, sums + r * laneCount)
  }

  /// Rescales the running sum and result of a row to a new maximum.
  @inline(never)
  private func rescale(_ r: Int, to maximum: Float) {
    let correction = exp2(Lanes(repeating: references[r] - maximum))
    references[r] = maximum
    let (sum, out) = (sums + r * laneCount, result + r * kernel.paddedWidth)
    store(load(sum) * correction, sum)
    for j in stride(from: 0, to: kernel.paddedWidth, by: laneCount) {
      store(load(out + j) * correction, out + j)
    }
  }

  private func dropWeights(
    _ first: UnsafeMutablePointer<Float>, _ queries: QueryTile, _ tile: KeyTile
  ) {
    for r in 0..<queries.count {
      let rowKey = kernel.dropKey(piece.sequence, piece.head, queries.position(r))
      let row = first + r * Self.scoreRow
      let positions = keys.positions + tile.slots.lowerBound
      for j in stride(from: 0, to: tile.slots.count, by: laneCount) {
        store(load(row + j) * kernel.dropout.factors(rowKey, at: load(positions + j)), row + j)
      }
    }
  }

  /// Writes the tile's result, or joins it with that of earlier rounds.
  ///
  /// With m the larger maximum and s = 2^(old - m) + Σ·2^(own - m):
  /// ```
  /// y = y·2^(old - m)/s + result·2^(own - m)/s    logsum = m + log₂ s
  /// ```
  private func finish(
    _ queries: QueryTile, isFirst: Bool, into y: Tensor, _ logSums: Storage
  ) {
    let width = kernel.width
    for r in 0..<queries.count {
      let row = firstRow + queries.position(r)
      let from = result + r * kernel.paddedWidth
      let to = y.pointer + row * y.columns + piece.head * width
      prefetch(to + tileRows * y.columns, count: width)
      let logSum = logSums.pointer + row * kernel.heads + piece.head
      let sum = horizontalSum(load(sums + r * laneCount))
      if isFirst {
        scaleRow(from, count: width, by: sum > 0 ? 1 / sum : 0, into: to)
        logSum.pointee = references[r] + log2(sum)
      } else if sum > 0 {
        let high = max(logSum.pointee, references[r])
        let (before, own) = (exp2(logSum.pointee - high), exp2(references[r] - high))
        let all = before + sum * own
        let (keep, scale) = (before / all, own / all)
        for j in 0..<width { to[j] = to[j] * keep + from[j] * scale }
        logSum.pointee = high + log2(all)
      }
    }
  }
}
