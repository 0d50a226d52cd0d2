// SPDX-License-Identifier: Apache-2.0

extension SortedBlockKernel {
  /// The gradients of Q, K, V and P from that of the result.
  func backward(_ dy: Storage, result: Storage, _ logSums: Storage) {
    let targets = HeadTargets([query, key, value])
    let dSorting = sorting.node?.target()
    forEachHead { layout, head, workspace in
      let rows = SortedRows(self, layout, head, workspace)
      let gradients = SortedGradients(self, rows, workspace)
      let pass = SortedBlockBackward(self, rows, gradients, workspace)
      for block in 0..<layout.count {
        let keys = BlockKeys(layout, block)
        for (index, queries) in blocks.rows.tiles(layout.firstBlock + block).enumerated() {
          pass.run(keys, queries, isFirst: index == 0, dy, result: result, logSums, targets)
        }
      }
      gradients.write(targets, dSorting, workspace)
    }
  }
}

/// The gradients that the queries of one sequence and head give.
///
/// ```
/// P = exp(S - logsum)    dV = P̃ᵀ·dO    dP = (dO·Vᵀ) ⊙ mask    Δ = Σ dO ⊙ O
/// dS = P ⊙ (dP - Δ)      dQ = dS·K/√D   dK = dSᵀ·Q/√D
/// ```
private struct SortedBlockBackward {
  private let kernel: SortedBlockKernel
  private let tile: SortedBlockTile
  private let gradients: SortedGradients
  private let dyRows: UnsafeMutablePointer<Float>
  private let dyColumns: UnsafeMutablePointer<Float>
  /// dO·Vᵀ, then dS, as the tile's scores.
  private let dScores: UnsafeMutablePointer<Float>
  private let dQueries: UnsafeMutablePointer<Float>
  /// Of each query.
  private let logSums: UnsafeMutablePointer<Float>
  private let deltas: UnsafeMutablePointer<Float>
  private let head: Int

  init(
    _ kernel: SortedBlockKernel, _ rows: SortedRows, _ gradients: SortedGradients,
    _ workspace: Workspace
  ) {
    self.kernel = kernel
    self.gradients = gradients
    head = rows.head
    tile = SortedBlockTile(kernel, rows, workspace)
    dyRows = workspace.floats(tileRows * kernel.padded)
    dyColumns = workspace.floats(tileRows * kernel.width)
    dScores = workspace.floats(BlockKeys.capacity(rows.layout) * SortedBlockTile.scoreRow)
    dQueries = workspace.floats(tileRows * kernel.padded)
    logSums = workspace.floats(tileRows)
    deltas = workspace.floats(tileRows)
  }

  /// - Parameter isFirst: whether these are the first queries of their block.
  func run(
    _ keys: BlockKeys, _ queries: Range<Int>, isFirst: Bool, _ dy: Storage, result: Storage,
    _ saved: Storage, _ targets: HeadTargets
  ) {
    tile.computeScores(keys, queries)
    copyRows(heads(dy), queries, into: dyRows)
    tile.pack(dyRows, queries.count, scale: 1, into: dyColumns)
    readSums(queries, result, saved)
    for (index, part) in keys.enumerated() {
      tile.product(tile.values(part), part, queries.count, dyColumns, into: dScores)
      differentiate(part, queries.count)
      addGradients(part, queries.count, isNew: isFirst && keys.isNew(part))
      addQueryGradients(part, queries.count, isFirst: index == 0)
    }
    targets.write(
      dQueries, row: kernel.padded, rows: queries, kernel.query, head, factor: kernel.scale)
  }

  /// The columns of the head in a matrix as wide as the result.
  private func heads(_ storage: Storage) -> UnsafeMutablePointer<Float> {
    storage.pointer + head * kernel.width
  }

  private func copyRows(
    _ first: UnsafePointer<Float>, _ queries: Range<Int>, into target: UnsafeMutablePointer<Float>
  ) {
    let step = kernel.heads * kernel.width
    for (r, row) in queries.enumerated() {
      let from = first + row * step
      prefetch(from + tileRows * step, count: kernel.width)
      copyRow(
        from, count: kernel.width, padded: kernel.padded, into: target + r * kernel.padded)
    }
  }

  /// Takes the queries' logarithms of sums and Δ; where a tile has no query, weights become zero.
  private func readSums(_ queries: Range<Int>, _ result: Storage, _ saved: Storage) {
    let step = kernel.heads * kernel.width
    for (r, row) in queries.enumerated() {
      let from = heads(result) + row * step
      prefetch(from + tileRows * step, count: kernel.width)
      logSums[r] = saved.pointer[row * kernel.heads + head]
      deltas[r] = innerProduct(dyRows + r * kernel.padded, from, count: kernel.width)
    }
    for r in queries.count..<tileRows { (logSums[r], deltas[r]) = (.infinity, 0) }
  }

  /// Turns scores into P̃, and `dScores` into dS.
  ///
  /// The sums of dS over the queries are added to the gradient of the keys' validity. Rows without a
  /// key become zero, as products take whole blocks of eight.
  private func differentiate(_ part: BlockKeys.Part, _ queries: Int) {
    let (validity, sums) = (tile.rows.validity(part), gradients.validity(part))
    let columns = (queries + laneCount - 1) & ~(laneCount - 1)
    for j in 0..<part.count {
      let at = (part.row + j) * SortedBlockTile.scoreRow
      let sum = differentiate(at, columns, bias: validity?[j] ?? 0, key: part.first + j)
      if let sums { sums[j] += horizontalSum(sum) }
    }
    for j in part.count..<SortedBlockTile.whole(part.count) {
      let at = (part.row + j) * SortedBlockTile.scoreRow
      (tile.scores + at).update(repeating: 0, count: columns)
      (dScores + at).update(repeating: 0, count: columns)
    }
  }

  /// The same for one key.
  ///
  /// - Returns: sums of dS over queries sixteen apart.
  @inline(__always)
  private func differentiate(_ at: Int, _ columns: Int, bias: Float, key: Int) -> Lanes {
    let (p, d) = (tile.scores + at, dScores + at)
    var sum = Lanes()
    for first in stride(from: 0, to: columns, by: laneCount) {
      let weight = exp2(load(p + first) + (bias - load(logSums + first)))
      let factor = kernel.dropout.isActive ? tile.factors(key, first) : Lanes(repeating: 1)
      let gradient = weight * (load(d + first) * factor - load(deltas + first))
      store(weight * factor, p + first)
      store(gradient, d + first)
      sum += gradient
    }
    return sum
  }

  /// - Parameter isNew: whether the gradients of the part's keys and values begin here.
  private func addGradients(_ part: BlockKeys.Part, _ queries: Int, isNew: Bool) {
    let (keys, values) =
      part.isMixed
      ? (gradients.mixedKeys, gradients.mixedValues) : (gradients.ownKeys, gradients.ownValues)
    add(tile.scores, part, dyRows, queries, to: values.row(part.block), isNew: isNew)
    add(dScores, part, tile.queryRows, queries, to: keys.row(part.block), isNew: isNew)
  }

  private func addQueryGradients(_ part: BlockKeys.Part, _ queries: Int, isFirst: Bool) {
    gemm(
      rows: SortedBlockTile.whole(queries), columns: kernel.padded, inner: part.count,
      tile.transposed(dScores, part), tile.keys(part).panels(of: part.block), into: dQueries,
      stride: kernel.padded, accumulate: !isFirst)
  }

  /// sum [the part's keys × D] = or += left [the part's keys × queries] · right.
  ///
  /// Rows that fill up a block of eight are zeros in front of the next part, which begins later.
  private func add(
    _ left: UnsafePointer<Float>, _ part: BlockKeys.Part, _ right: UnsafePointer<Float>,
    _ queries: Int, to sum: UnsafeMutablePointer<Float>, isNew: Bool
  ) {
    let row = SortedBlockTile.scoreRow
    gemm(
      rows: SortedBlockTile.whole(part.count), columns: kernel.padded, inner: queries,
      StridedMatrix(base: left + part.row * row, rowStride: row, columnStride: 1),
      Panels(rowMajor: right, stride: kernel.padded), into: sum, stride: kernel.padded,
      accumulate: !isNew)
  }
}

/// The gradients of one sequence's and head's rows, own and mixed, and how they reach K, V and P.
private struct SortedGradients {
  let ownKeys: BlockMatrix
  let ownValues: BlockMatrix
  let mixedKeys: BlockMatrix
  let mixedValues: BlockMatrix
  /// Of log(w + ε), b for each mixed block.
  private let validity: UnsafeMutablePointer<Float>
  private let kernel: SortedBlockKernel
  private let rows: SortedRows

  init(_ kernel: SortedBlockKernel, _ rows: SortedRows, _ workspace: Workspace) {
    let layout = rows.layout
    let room = { BlockMatrix($0, size: layout.size, width: kernel.width, workspace) }
    self.kernel = kernel
    self.rows = rows
    (ownKeys, ownValues) = (room(layout.count), room(layout.count))
    (mixedKeys, mixedValues) = (room(layout.mixedCount), room(layout.mixedCount))
    validity = workspace.zeros(layout.mixedCount * layout.size)
  }

  /// The gradients of what is added to the scores of a part's keys.
  func validity(_ part: BlockKeys.Part) -> UnsafeMutablePointer<Float>? {
    part.isMixed ? validity + part.block * rows.layout.size : nil
  }

  /// dX[l] = the gradient of the block's own rows + Σᵢ P[i, l]·dX̂[i], and
  /// dP[i, l] = Σ dX̂[i] ⊙ X[l] for keys and values, and what comes through w.
  func write(_ targets: HeadTargets, _ dSorting: GradientTarget?, _ workspace: Workspace) {
    unmix(mixedKeys, into: ownKeys)
    unmix(mixedValues, into: ownValues)
    write(ownKeys, to: kernel.key, targets)
    write(ownValues, to: kernel.value, targets)
    guard let dSorting else { return }
    let row = rows.layout.count
    let dMatrix = workspace.zeros(rows.layout.mixedCount * row)
    gemmNT(
      mixedKeys.rows, rows.ownKeys.rows, inner: ownKeys.columns, to: dMatrix, row: row)
    gemmNT(
      mixedValues.rows, rows.ownValues.rows, inner: ownValues.columns, to: dMatrix, row: row)
    addValidity(to: dMatrix, row: row)
    write(dMatrix, row: row, into: dSorting)
  }

  private func unmix(_ mixed: BlockMatrix, into own: BlockMatrix) {
    gemm(
      rows: rows.layout.count, columns: own.columns, inner: rows.layout.mixedCount,
      StridedMatrix(
        base: kernel.matrix(rows.layout, rows.head), rowStride: 1,
        columnStride: kernel.sorting.columns), mixed.panels, into: own.base, stride: own.step,
      accumulate: true)
  }

  private func write(_ matrix: BlockMatrix, to view: HeadsView, _ targets: HeadTargets) {
    for block in 0..<rows.layout.count {
      targets.write(
        matrix.row(block), row: matrix.padded,
        rows: kernel.blocks.rows.range(rows.layout.firstBlock + block), view, rows.head)
    }
  }

  private func addValidity(to dMatrix: UnsafeMutablePointer<Float>, row: Int) {
    let layout = rows.layout
    for mixed in 0..<layout.mixedCount {
      let (full, part) = rows.weights(mixed)
      let line = validity + mixed * layout.size
      let sums = (0..<layout.size).reduce(into: (full: Float(0), part: Float(0))) { sums, t in
        if t < layout.last { sums.full += line[t] } else { sums.part += line[t] }
      }
      let ofFull = sums.full / (full + SortedBlockKernel.epsilon)
      let ofPart = sums.part / (part + SortedBlockKernel.epsilon)
      let to = dMatrix + mixed * row
      for l in 0..<layout.count - 1 { to[l] += ofFull + ofPart }
      to[layout.count - 1] += ofFull
    }
  }

  /// Stores or adds dP; columns and rows that no mixed block uses have none.
  private func write(_ dMatrix: UnsafePointer<Float>, row: Int, into target: GradientTarget) {
    let layout = rows.layout
    for block in 0..<layout.count {
      let to =
        target.pointer + (layout.firstBlock + block) * kernel.sorting.columns
        + rows.head * kernel.sortColumns
      if !target.accumulate { to.update(repeating: 0, count: kernel.sortColumns) }
      guard block < layout.mixedCount else { continue }
      for l in 0..<layout.count { to[l] += dMatrix[block * row + l] }
    }
  }
}
