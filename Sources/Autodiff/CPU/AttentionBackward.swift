extension AttentionKernel {
  /// The gradients of Q, K, V and b from that of the result.
  ///
  /// The weights are computed again, tile by tile, from the saved logarithms of their sums:
  /// ```
  /// P = exp(S - logsum)    dV = P̃ᵀ·dO    dP = (dO·Vᵀ) ⊙ mask    Δ = Σ dO ⊙ O
  /// dS = P ⊙ (dP - Δ)      dQ = dS·K/√D   dK = dSᵀ·Q/√D   db = dSᵀ·1
  /// ```
  func backward(_ dy: Storage, result: Storage, _ logSums: Storage) {
    let targets = HeadTargets([query, key, value] + (bias.map { [$0] } ?? []))
    let order = queries.longestFirst
    parallel(order.count * heads) { index, workspace in
      let (sequence, head) = (order[index / heads], index % heads)
      BackwardPiece(self, sequence, head, dy, result, logSums, workspace).run(targets, workspace)
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
  private let bias: KeyBias?
  private let dKeys: UnsafeMutablePointer<Float>
  private let dValues: UnsafeMutablePointer<Float>
  private let dBias: UnsafeMutablePointer<Float>
  private let weights: UnsafeMutablePointer<Float>
  private let dScores: UnsafeMutablePointer<Float>
  private let dQueries: UnsafeMutablePointer<Float>
  private let deltas: UnsafeMutablePointer<Float>
  private let queryRows: UnsafeMutablePointer<Float>
  private let dyRows: UnsafeMutablePointer<Float>

  init(
    _ kernel: AttentionKernel, _ sequence: Int, _ head: Int, _ dy: Storage, _ result: Storage,
    _ logSums: Storage, _ workspace: Workspace
  ) {
    let length = kernel.keys.length(sequence)
    let padded = kernel.paddedWidth
    self.kernel = kernel
    self.sequence = sequence
    self.head = head
    self.dy = UnsafePointer(dy.pointer)
    self.result = UnsafePointer(result.pointer)
    self.logSums = UnsafePointer(logSums.pointer)
    scaledKeys = kernel.packKeys(sequence, head, workspace)
    transposedValues = packTransposed(
      kernel.value.pointer(kernel.keys.offsets[sequence], head), row: kernel.value.stride,
      inner: kernel.width, columns: length,
      into: workspace.floats(packedCount(inner: kernel.width, columns: length)))
    keyRows = kernel.packRows(kernel.key, kernel.keys.range(sequence), head, workspace)
    bias = kernel.packBias(sequence, head, workspace)
    dBias = workspace.zeros(length + Self.keyTile)
    dKeys = workspace.zeros(length * padded)
    dValues = workspace.zeros(length * padded)
    weights = workspace.floats(AttentionKernel.queryTile * Self.keyTile)
    dScores = workspace.floats(AttentionKernel.queryTile * Self.keyTile)
    dQueries = workspace.floats(AttentionKernel.queryTile * padded)
    deltas = workspace.floats(AttentionKernel.queryTile)
    queryRows = workspace.floats(AttentionKernel.queryTile * padded)
    dyRows = workspace.floats(AttentionKernel.queryTile * padded)
  }

  func run(_ targets: HeadTargets, _ workspace: Workspace) {
    let padded = kernel.paddedWidth
    let rows = kernel.queries.range(sequence)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: AttentionKernel.queryTile) {
      let tile = first..<min(rows.upperBound, first + AttentionKernel.queryTile)
      runTile(tile)
      targets.write(
        dQueries, row: padded, rows: tile, kernel.query, head, factor: kernel.scale)
    }
    let keys = kernel.keys.range(sequence)
    targets.write(dKeys, row: padded, rows: keys, kernel.key, head, factor: kernel.scale)
    targets.write(dValues, row: padded, rows: keys, kernel.value, head)
    if let bias = kernel.bias { targets.write(dBias, row: 1, rows: keys, bias, head) }
  }

  private var dyStride: Int { kernel.heads * kernel.width }

  private func runTile(_ rows: Range<Int>) {
    let dyTile = dy + rows.lowerBound * dyStride + head * kernel.width
    let queryPanels = packRows(
      kernel.query.pointer(rows.lowerBound, head), row: kernel.query.stride, inner: rows.count,
      columns: kernel.width, into: queryRows)
    let dyPanels = packRows(
      dyTile, row: dyStride, inner: rows.count, columns: kernel.width, into: dyRows)
    computeDeltas(rows, dyTile)
    let length = kernel.keys.length(sequence)
    if length == 0 { dQueries.update(repeating: 0, count: rows.count * kernel.paddedWidth) }
    for first in stride(from: 0, to: length, by: Self.keyTile) {
      let keys = first..<min(length, first + Self.keyTile)
      computeScores(rows, keys, dyTile)
      for (r, global) in rows.enumerated() { differentiate(r, global, keys) }
      addGradients(rows.count, keys, queryPanels, dyPanels, isFirst: first == 0)
    }
  }

  /// Δ = Σ dO ⊙ O for each row.
  private func computeDeltas(_ rows: Range<Int>, _ dyTile: UnsafePointer<Float>) {
    let out = result + rows.lowerBound * dyStride + head * kernel.width
    for r in 0..<rows.count {
      var sum = Lanes()
      var j = 0
      while j + laneCount <= kernel.width {
        sum.addProduct(load(dyTile + r * dyStride + j), load(out + r * dyStride + j))
        j += laneCount
      }
      var delta = total(sum)
      while j < kernel.width {
        delta += dyTile[r * dyStride + j] * out[r * dyStride + j]
        j += 1
      }
      deltas[r] = delta
    }
  }

  /// `weights` = scores in units of log 2, `dScores` = dO·Vᵀ.
  private func computeScores(
    _ rows: Range<Int>, _ keys: Range<Int>, _ dyTile: UnsafePointer<Float>
  ) {
    let columns = Panels.count(keys.count) * Panels.width
    let panel = keys.lowerBound / Panels.width
    bias?.fill(
      weights, row: Self.keyTile, rows: rows.count, first: keys.lowerBound, columns: columns)
    multiply(
      rows: rows.count, columns: columns, inner: kernel.width,
      StridedMatrix(
        base: kernel.query.pointer(rows.lowerBound, head), row: kernel.query.stride, column: 1),
      Panels(
        base: scaledKeys.base + panel * scaledKeys.panel, step: scaledKeys.step,
        panel: scaledKeys.panel),
      into: weights, row: Self.keyTile, accumulate: bias != nil)
    multiply(
      rows: rows.count, columns: columns, inner: kernel.width,
      StridedMatrix(base: dyTile, row: dyStride, column: 1),
      Panels(
        base: transposedValues.base + panel * transposedValues.panel, step: transposedValues.step,
        panel: transposedValues.panel),
      into: dScores, row: Self.keyTile, accumulate: false)
  }

  /// `weights` = P̃ and `dScores` = dS of one row.
  private func differentiate(_ r: Int, _ global: Int, _ keys: Range<Int>) {
    let logSum = logSums[global * kernel.heads + head]
    let delta = deltas[r]
    let p = weights + r * Self.keyTile
    let d = dScores + r * Self.keyTile
    if kernel.dropout.isActive {
      let rowKey = kernel.dropout.rowKey(global, head + 1)
      for j in stride(from: 0, to: keys.count, by: laneCount) {
        let weight = exp2(load(p + j) - logSum)
        let factor = kernel.dropout.factors(rowKey, keys.lowerBound + j)
        store(weight * factor, p + j)
        store(weight * (load(d + j) * factor - delta), d + j)
      }
    } else {
      for j in stride(from: 0, to: keys.count, by: laneCount) {
        let weight = exp2(load(p + j) - logSum)
        store(weight, p + j)
        store(weight * (load(d + j) - delta), d + j)
      }
    }
  }

  private func addGradients(
    _ rows: Int, _ keys: Range<Int>, _ queryPanels: Panels, _ dyPanels: Panels, isFirst: Bool
  ) {
    let padded = kernel.paddedWidth
    if bias != nil {
      for r in 0..<rows {
        for j in 0..<keys.count { dBias[keys.lowerBound + j] += dScores[r * Self.keyTile + j] }
      }
    }
    multiply(
      rows: keys.count, columns: padded, inner: rows,
      StridedMatrix(base: weights, row: 1, column: Self.keyTile), dyPanels,
      into: dValues + keys.lowerBound * padded, row: padded, accumulate: true)
    multiply(
      rows: keys.count, columns: padded, inner: rows,
      StridedMatrix(base: dScores, row: 1, column: Self.keyTile), queryPanels,
      into: dKeys + keys.lowerBound * padded, row: padded, accumulate: true)
    multiply(
      rows: rows, columns: padded, inner: keys.count,
      StridedMatrix(base: dScores, row: Self.keyTile, column: 1),
      Panels(
        base: keyRows.base + keys.lowerBound * keyRows.step, step: keyRows.step,
        panel: keyRows.panel),
      into: dQueries, row: padded, accumulate: !isFirst)
  }
}
