// SPDX-License-Identifier: Apache-2.0

extension AttentionKernel {
  /// Turns scores into P̃ and dO·Vᵀ into dS, in one row of a tile.
  ///
  /// - Parameters:
  ///   - p: scores in units of log 2.
  ///   - d: dO·Vᵀ.
  ///   - positions: of the keys.
  ///   - logSum: of the row, in units of log 2.
  ///   - delta: Δ of the row.
  @inline(__always)
  func differentiate(
    _ p: UnsafeMutablePointer<Float>, _ d: UnsafeMutablePointer<Float>, count: Int,
    positions: UnsafePointer<Float>, dropKey: @autoclosure () -> UInt32, logSum: Float,
    delta: Float
  ) {
    if dropout.isActive {
      let dropKey = dropKey()
      for j in stride(from: 0, to: count, by: laneCount) {
        let weight = exp2(load(p + j) - logSum)
        let factor = dropout.factors(dropKey, at: load(positions + j))
        store(weight * factor, p + j)
        store(weight * (load(d + j) * factor - delta), d + j)
      }
    } else {
      differentiateWeights(p, d, count: count, logSum: logSum, delta: delta)
    }
  }
}

/// Turns scores in units of log 2 into P = 2^(S - logSum), and dP into dS = P ⊙ (dP - Δ), in one row
/// of whole vectors.
@inline(__always)
func differentiateWeights(
  _ p: UnsafeMutablePointer<Float>, _ d: UnsafeMutablePointer<Float>, count: Int, logSum: Float,
  delta: Float
) {
  var j = 0
  while j < count {
    let weight = exp2(load(p + j) - logSum)
    store(weight, p + j)
    store(weight * (load(d + j) - delta), d + j)
    j &+= laneCount
  }
}

/// The gradients that the queries of one piece give.
///
/// The weights are computed again, tile by tile, from the saved logarithms of their sums, whatever
/// else the query saw:
/// ```
/// P = exp(S - logsum)    dV = P̃ᵀ·dO    dP = (dO·Vᵀ) ⊙ mask    Δ = Σ dO ⊙ O
/// dS = P ⊙ (dP - Δ)      dQ = scale·dS·K    dK = scale·dSᵀ·Q
/// ```
struct AttentionBackward {
  private static let keyTile = 64
  /// Floats of a row of scores; the last vector of a tile may reach beyond its columns.
  private static let scoreRow = keyTile + laneCount

  private let kernel: AttentionKernel
  private let piece: AttentionPiece
  private let gradients: HeadGradients
  private let keys: PackedKeys
  private let repeats: RepeatedPairs?
  private let workspace: Workspace
  /// The row at position 0.
  private let firstRow: Int
  private let queryRows: UnsafeMutablePointer<Float>
  private let dyRows: UnsafeMutablePointer<Float>
  private let weights: UnsafeMutablePointer<Float>
  private let dScores: UnsafeMutablePointer<Float>
  private let dQueries: UnsafeMutablePointer<Float>
  private let deltas: UnsafeMutablePointer<Float>
  private let logSums: UnsafeMutablePointer<Float>
  /// Gradients of the lists that are not contiguous, in the order of their slots.
  private let scatteredKeys: UnsafeMutablePointer<Float>
  private let scatteredValues: UnsafeMutablePointer<Float>
  private let outer: OuterGradient?
  private let bias: KeyBiasGradient?

  init(
    _ kernel: AttentionKernel, _ piece: AttentionPiece, into gradients: HeadGradients,
    _ workspace: Workspace
  ) {
    self.kernel = kernel
    self.piece = piece
    self.gradients = gradients
    keys = PackedKeys(kernel, piece, rows: kernel.key, columns: kernel.value, workspace)
    repeats = RepeatedPairs(piece.pattern, workspace)
    self.workspace = workspace
    firstRow = kernel.queries.offsets[piece.sequence]
    queryRows = workspace.floats(tileRows * kernel.paddedKeyWidth)
    dyRows = workspace.floats(tileRows * kernel.paddedWidth)
    weights = workspace.floats(tileRows * Self.scoreRow)
    dScores = workspace.floats(tileRows * Self.scoreRow)
    dQueries = workspace.floats(tileRows * kernel.paddedKeyWidth)
    deltas = workspace.floats(tileRows)
    logSums = workspace.floats(tileRows)
    let scattered = piece.pattern.scatteredSlots
    let rows = scattered == 0 ? 0 : scattered + HeadGradients.spareRows
    scatteredKeys = workspace.zeros(rows * kernel.paddedKeyWidth)
    scatteredValues = workspace.zeros(rows * kernel.paddedWidth)
    outer = OuterGradient(kernel.term, workspace)
    bias = KeyBiasGradient(
      kernel.term, keys: kernel.keys.length(piece.sequence), workspace)
  }

  /// Sums up the gradients of K and V, and of Q where it has several rounds, and writes the others.
  func run(_ dy: Storage, _ result: Storage, _ saved: Storage, _ targets: HeadTargets) {
    gradients.clear()
    let row = kernel.heads * kernel.width
    let first = firstRow * row + piece.head * kernel.width
    let source = GatheredRows(kernel.query, kernel.queries, piece)
    let dySource = GatheredRows(base: dy.pointer + first, row: row, width: kernel.width)
    let queryTarget = targets.target(kernel.query, piece.head)
    for round in piece.pattern.rounds {
      let positions = copyPositions(round.queries, workspace)
      for tile in piece.tiles(round) where !tile.steps.isEmpty {
        let queries = QueryTile(tile, positions)
        source.copy(queries.positions, count: queries.count, into: queryRows)
        dySource.copy(queries.positions, count: queries.count, into: dyRows)
        readSums(queries, result.pointer + first, row, saved)
        let mark = workspace.mark
        run(tile, operands(queries), round)
        workspace.rewind(to: mark)
        writeQueries(queries, queryTarget)
        if let outer {
          let rows = firstRow + queries.position(0)
          outer.write(rows..<rows + queries.count, piece.head, targets)
        }
      }
    }
    writeBlindQueries(queryTarget)
    gatherKeys()
    bias?.write(kernel.keys.range(piece.sequence), piece.head, targets)
  }

  /// A tile's queries and the gradients of their results, as operands of products.
  private struct Operands {
    let queries: QueryTile
    let queryLeft, dyLeft: StridedMatrix
    let queryRight, dyRight: Panels
  }

  private func operands(_ queries: QueryTile) -> Operands {
    let (width, keyWidth) = (kernel.width, kernel.keyWidth)
    return Operands(
      queries: queries, queryLeft: kernel.left(queryRows, queries, width: keyWidth, workspace),
      dyLeft: kernel.left(dyRows, queries, width: width, workspace),
      queryRight: kernel.right(queryRows, queries, width: keyWidth, workspace),
      dyRight: kernel.right(dyRows, queries, width: width, workspace))
  }

  private func run(
    _ tile: AttentionPattern.Tile, _ operands: Operands, _ round: AttentionPattern.Round
  ) {
    let queries = operands.queries
    outer?.clear(queries.count)
    var isFirst = true
    for step in round.steps[tile.steps] {
      piece.pattern.forEachKeyTile(of: step, tile.span, width: Self.keyTile) {
        add(operands, $0, piece.pattern.lists[step.list], isFirst: isFirst)
        isFirst = false
      }
    }
    if isFirst { dQueries.update(repeating: 0, count: queries.count * kernel.paddedKeyWidth) }
  }

  /// The gradients of a tile's queries go to their place, or to the sums over rounds.
  private func writeQueries(_ queries: QueryTile, _ target: HeadTarget?) {
    let width = kernel.paddedKeyWidth
    for r in 0..<queries.count {
      let (from, position) = (dQueries + r * width, queries.position(r))
      if kernel.hasOneRound {
        target?.write(from, to: firstRow + position, factor: kernel.scale)
      } else {
        addRow(from, to: gradients.query + position * width, count: width)
      }
    }
  }

  /// Queries that see nothing get zeros, where these are not in the sums already.
  private func writeBlindQueries(_ target: HeadTarget?) {
    guard let target, kernel.hasOneRound else { return }
    for round in piece.pattern.rounds {
      for tile in piece.tiles(round) where tile.steps.isEmpty {
        for query in round.queries[tile.queries] { target.writeZeros(to: firstRow + Int(query)) }
      }
    }
    for position in piece.uncovered { target.writeZeros(to: firstRow + position) }
  }

  /// Δ = Σ dO ⊙ O, and the logarithm of the sum, of each row.
  private func readSums(
    _ queries: QueryTile, _ result: UnsafePointer<Float>, _ row: Int, _ saved: Storage
  ) {
    for r in 0..<queries.count {
      let from = result + queries.position(r) * row
      prefetch(from + tileRows * row, count: kernel.width)
      deltas[r] = innerProduct(dyRows + r * kernel.paddedWidth, from, count: kernel.width)
      let logSum = saved.pointer[(firstRow + queries.position(r)) * kernel.heads + piece.head]
      // A query that sees nothing has no weights; ∞ makes them zero.
      logSums[r] = logSum == -.infinity ? .infinity : logSum
    }
  }

  /// - Parameter isFirst: whether the queries' gradients begin with this tile.
  private func add(
    _ operands: Operands, _ tile: KeyTile, _ list: AttentionPattern.List, isFirst: Bool
  ) {
    let queries = operands.queries
    let logits = kernel.logitTile(piece, queries, tile)
    computeScores(operands, tile, logits)
    for r in 0..<queries.count { differentiate(r, queries, tile) }
    addGradients(operands, tile, list, isFirst: isFirst)
    if let logits {
      outer?.add(logits, dScores, row: Self.scoreRow)
      bias?.add(logits, dScores, row: Self.scoreRow)
    }
  }

  /// `weights` = scores in units of log 2, `dScores` = dO·Vᵀ where it is needed.
  private func computeScores(_ operands: Operands, _ tile: KeyTile, _ logits: LogitTile?) {
    let queries = operands.queries
    keys.prepare(tile)
    keys.multiplyKeys(
      operands.queryLeft, queries.padded, tile, into: weights, row: Self.scoreRow)
    if let logits { kernel.term.add(logits, to: weights, row: Self.scoreRow) }
    if kernel.needsScoreGradients {
      keys.multiplyColumns(
        operands.dyLeft, queries.padded, tile, into: dScores, row: Self.scoreRow)
    }
    tile.mask(weights + tile.lead, row: Self.scoreRow, queries, keys.positions)
    repeats?.lower(weights + tile.lead, row: Self.scoreRow, queries, tile)
  }

  /// `weights` = P̃ and `dScores` = dS of one row, zero beyond the tile's slots.
  private func differentiate(_ r: Int, _ queries: QueryTile, _ tile: KeyTile) {
    let count = tile.slots.count
    let p = weights + r * Self.scoreRow + tile.lead
    let d = dScores + r * Self.scoreRow + tile.lead
    fillVector(p, from: count, with: -.infinity)
    fillVector(d, from: count, with: 0)
    kernel.differentiate(
      p, d, count: count, positions: keys.positions + tile.slots.lowerBound,
      dropKey: kernel.dropKey(piece.sequence, piece.head, queries.position(r)),
      logSum: logSums[r], delta: deltas[r])
  }

  /// Adds to the rows of a list's positions, or to those of its slots if it is not contiguous.
  ///
  /// Whole blocks of eight keys are computed; those beyond the tile add zeros.
  private func addGradients(
    _ operands: Operands, _ tile: KeyTile, _ list: AttentionPattern.List, isFirst: Bool
  ) {
    let queries = operands.queries
    let first = tile.slots.lowerBound + list.shift
    let (dKeys, dValues) =
      list.isContiguous ? (gradients.key, gradients.value) : (scatteredKeys, scatteredValues)
    let (width, keyWidth) = (kernel.paddedWidth, kernel.paddedKeyWidth)
    addTransposed(
      weights, tile, operands.dyRight, queries.count, into: dValues + first * width, width)
    addTransposed(
      dScores, tile, operands.queryRight, queries.count, into: dKeys + first * keyWidth, keyWidth)
    keys.multiplyRows(
      dScores + tile.lead, row: Self.scoreRow, queries.padded, tile, into: dQueries,
      workspace, accumulate: !isFirst)
  }

  /// sum [the tile's slots × width] += leftᵀ · right [rows × width].
  private func addTransposed(
    _ left: UnsafePointer<Float>, _ tile: KeyTile, _ right: Panels, _ rows: Int,
    into sum: UnsafeMutablePointer<Float>, _ width: Int
  ) {
    let mark = workspace.mark
    let slots = (tile.slots.count + 7) & ~7
    gemm(
      rows: slots, columns: width, inner: rows,
      .transpose(
        left + tile.lead, row: Self.scoreRow, rows: rows, columns: slots, kernel.precision,
        workspace), right, into: sum, stride: width, accumulate: true)
    workspace.rewind(to: mark)
  }

  /// Adds what lists that are not contiguous have collected to the rows of their positions.
  private func gatherKeys() {
    let pattern = piece.pattern
    let (width, keyWidth) = (kernel.paddedWidth, kernel.paddedKeyWidth)
    for list in pattern.lists where !list.isContiguous {
      for slot in list.slots {
        let (from, to) = (slot + list.shift, Int(pattern.slots[slot]))
        addRow(scatteredKeys + from * keyWidth, to: gradients.key + to * keyWidth, count: keyWidth)
        addRow(scatteredValues + from * width, to: gradients.value + to * width, count: width)
      }
    }
  }
}
