extension AttentionKernel {
  /// The gradients of Q, K and V from that of the result.
  ///
  /// The weights are computed again, tile by tile, from the saved logarithms of their sums:
  /// ```
  /// P = exp(S - logsum)    dV = P̃ᵀ·dO    dP = (dO·Vᵀ) ⊙ mask    Δ = Σ dO ⊙ O
  /// dS = P ⊙ (dP - Δ)      dQ = scale·dS·K    dK = scale·dSᵀ·Q
  /// ```
  func backward(_ dy: Storage, result: Storage, _ logSums: Storage) {
    let targets = HeadTargets([query, key, value] + term.heads)
    let order = queries.longestFirst
    parallel(order.count * heads) { index, workspace in
      let (sequence, head) = (order[index / heads], index % heads)
      BackwardPiece(self, sequence, head, dy, result, logSums, workspace).run(targets, workspace)
    }
  }

  /// Δ = Σ dO ⊙ O of some rows of one head.
  func computeDeltas(
    _ rows: Range<Int>, _ head: Int, _ dy: UnsafePointer<Float>, _ result: UnsafePointer<Float>,
    into deltas: UnsafeMutablePointer<Float>
  ) {
    let stride = heads * width
    for (r, row) in rows.enumerated() {
      let offset = row * stride + head * width
      deltas[r] = innerProduct(dy + offset, result + offset, count: width)
    }
  }

  /// Turns scores into P̃ and dO·Vᵀ into dS, in one row of a tile.
  ///
  /// - Parameters:
  ///   - p: scores in units of log 2.
  ///   - d: dO·Vᵀ.
  ///   - first: the position of the row's first key.
  ///   - logSum: of the row, in units of log 2.
  ///   - delta: Δ of the row.
  func differentiate(
    _ p: UnsafeMutablePointer<Float>, _ d: UnsafeMutablePointer<Float>, count: Int, first: Int,
    row: Int, head: Int, logSum: Float, delta: Float
  ) {
    if dropout.isActive {
      let rowKey = dropout.rowKey(row, head + 1)
      for j in Swift.stride(from: 0, to: count, by: laneCount) {
        let weight = exp2(load(p + j) - logSum)
        let factor = dropout.factors(rowKey, first + j)
        store(weight * factor, p + j)
        store(weight * (load(d + j) * factor - delta), d + j)
      }
    } else {
      for j in Swift.stride(from: 0, to: count, by: laneCount) {
        let weight = exp2(load(p + j) - logSum)
        store(weight, p + j)
        store(weight * (load(d + j) - delta), d + j)
      }
    }
  }
}

/// All queries and keys of one sequence and head.
private struct BackwardPiece {
  private static let keyTile = 64

  private let kernel: AttentionKernel
  private let sequence: Int
  private let head: Int
  private let dy: UnsafePointer<Float>
  private let result: UnsafePointer<Float>
  private let logSums: UnsafePointer<Float>
  private let scaledKeys: Panels
  private let transposedValues: Panels
  private let keyRows: Panels
  private let dKeys: UnsafeMutablePointer<Float>
  private let dValues: UnsafeMutablePointer<Float>
  private let weights: UnsafeMutablePointer<Float>
  private let dScores: UnsafeMutablePointer<Float>
  private let dQueries: UnsafeMutablePointer<Float>
  private let deltas: UnsafeMutablePointer<Float>
  private let queryRows: UnsafeMutablePointer<Float>
  private let dyRows: UnsafeMutablePointer<Float>
  private let outer: OuterGradient?
  private let bias: KeyBiasGradient?

  init(
    _ kernel: AttentionKernel, _ sequence: Int, _ head: Int, _ dy: Storage, _ result: Storage,
    _ logSums: Storage, _ workspace: Workspace
  ) {
    let length = kernel.keys.length(sequence)
    let (padded, paddedKey) = (kernel.paddedWidth, kernel.paddedKeyWidth)
    self.kernel = kernel
    self.sequence = sequence
    self.head = head
    self.dy = UnsafePointer(dy.pointer)
    self.result = UnsafePointer(result.pointer)
    self.logSums = UnsafePointer(logSums.pointer)
    scaledKeys = kernel.packKeys(sequence, head, workspace)
    transposedValues = kernel.packTransposedValues(
      sequence, head,
      into: workspace.floats(packedCount(inner: kernel.width, columns: length)))
    keyRows = kernel.packRows(kernel.key, kernel.keys.range(sequence), head, workspace)
    dKeys = workspace.zeros(length * paddedKey)
    dValues = workspace.zeros(length * padded)
    weights = workspace.floats(AttentionKernel.queryTile * Self.keyTile)
    dScores = workspace.floats(AttentionKernel.queryTile * Self.keyTile)
    dQueries = workspace.floats(AttentionKernel.queryTile * paddedKey)
    deltas = workspace.floats(AttentionKernel.queryTile)
    queryRows = workspace.floats(AttentionKernel.queryTile * paddedKey)
    dyRows = workspace.floats(AttentionKernel.queryTile * padded)
    outer = OuterGradient(kernel.term, workspace)
    bias = KeyBiasGradient(kernel.term, keys: length, tile: Self.keyTile, workspace)
  }

  func run(_ targets: HeadTargets, _ workspace: Workspace) {
    let (padded, paddedKey) = (kernel.paddedWidth, kernel.paddedKeyWidth)
    let rows = kernel.queries.range(sequence)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: AttentionKernel.queryTile) {
      let tile = first..<min(rows.upperBound, first + AttentionKernel.queryTile)
      runTile(tile)
      targets.write(
        dQueries, row: paddedKey, rows: tile, kernel.query, head, factor: kernel.scale)
      outer?.write(tile, head, targets)
    }
    let keys = kernel.keys.range(sequence)
    targets.write(dKeys, row: paddedKey, rows: keys, kernel.key, head, factor: kernel.scale)
    targets.write(dValues, row: padded, rows: keys, kernel.value, head)
    bias?.write(keys, head, targets)
  }

  private var dyStride: Int { kernel.heads * kernel.width }

  private func runTile(_ rows: Range<Int>) {
    let dyTile = dy + rows.lowerBound * dyStride + head * kernel.width
    let queryPanels = packRows(
      kernel.query.pointer(rows.lowerBound, head), row: kernel.query.stride, inner: rows.count,
      columns: kernel.keyWidth, into: queryRows)
    let dyPanels = packRows(
      dyTile, row: dyStride, inner: rows.count, columns: kernel.width, into: dyRows)
    kernel.computeDeltas(rows, head, dy, result, into: deltas)
    outer?.clear(rows.count)
    let length = kernel.keys.length(sequence)
    if length == 0 { dQueries.update(repeating: 0, count: rows.count * kernel.paddedKeyWidth) }
    for first in stride(from: 0, to: length, by: Self.keyTile) {
      let tile = LogitTile(
        rows: rows, keys: first..<min(length, first + Self.keyTile),
        first: kernel.queries.offsets[sequence], firstKey: kernel.keys.offsets[sequence],
        head: head)
      computeScores(tile, dyTile)
      differentiate(tile)
      addGradients(rows.count, tile.keys, queryPanels, dyPanels, isFirst: first == 0)
      outer?.add(tile, dScores, row: Self.keyTile)
      bias?.add(tile, dScores, row: Self.keyTile)
    }
  }

  /// `weights` = scores in units of log 2, `dScores` = dO·Vᵀ where it is needed.
  private func computeScores(_ tile: LogitTile, _ dyTile: UnsafePointer<Float>) {
    let (rows, keys) = (tile.rows, tile.keys)
    let columns = Panels.count(keys.count) * Panels.width
    let panel = keys.lowerBound / Panels.width
    multiply(
      rows: rows.count, columns: columns, inner: kernel.keyWidth,
      StridedMatrix(
        base: kernel.query.pointer(rows.lowerBound, head), row: kernel.query.stride, column: 1),
      Panels(
        base: scaledKeys.base + panel * scaledKeys.panel, step: scaledKeys.step,
        panel: scaledKeys.panel),
      into: weights, row: Self.keyTile, accumulate: false)
    kernel.term.add(tile, to: weights, row: Self.keyTile)
    guard kernel.needsScoreGradients else { return }
    multiply(
      rows: rows.count, columns: columns, inner: kernel.width,
      StridedMatrix(base: dyTile, row: dyStride, column: 1),
      Panels(
        base: transposedValues.base + panel * transposedValues.panel, step: transposedValues.step,
        panel: transposedValues.panel),
      into: dScores, row: Self.keyTile, accumulate: false)
  }

  /// `weights` = P̃ and `dScores` = dS.
  private func differentiate(_ tile: LogitTile) {
    for (r, row) in tile.rows.enumerated() {
      kernel.differentiate(
        weights + r * Self.keyTile, dScores + r * Self.keyTile, count: tile.keys.count,
        first: tile.keys.lowerBound, row: row, head: head,
        logSum: logSums[row * kernel.heads + head], delta: deltas[r])
    }
  }

  private func addGradients(
    _ rows: Int, _ keys: Range<Int>, _ queryPanels: Panels, _ dyPanels: Panels, isFirst: Bool
  ) {
    let (padded, paddedKey) = (kernel.paddedWidth, kernel.paddedKeyWidth)
    multiply(
      rows: keys.count, columns: padded, inner: rows,
      StridedMatrix(base: weights, row: 1, column: Self.keyTile), dyPanels,
      into: dValues + keys.lowerBound * padded, row: padded, accumulate: true)
    multiply(
      rows: keys.count, columns: paddedKey, inner: rows,
      StridedMatrix(base: dScores, row: 1, column: Self.keyTile), queryPanels,
      into: dKeys + keys.lowerBound * paddedKey, row: paddedKey, accumulate: true)
    multiply(
      rows: rows, columns: paddedKey, inner: keys.count,
      StridedMatrix(base: dScores, row: Self.keyTile, column: 1),
      Panels(
        base: keyRows.base + keys.lowerBound * keyRows.step, step: keyRows.step,
        panel: keyRows.panel),
      into: dQueries, row: paddedKey, accumulate: !isFirst)
  }
}
