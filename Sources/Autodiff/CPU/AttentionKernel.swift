import Foundation

/// Tiled attention on the CPU: shapes, tiles, and the forward pass.
///
/// Scores are kept in units of log 2, so that the exponential is a power of two: the keys are
/// scaled by log₂(e) and the scale of the products while they are packed.
struct AttentionKernel {
  static let queryTile = 64
  static let keyTile = 128

  let query: Heads
  let key: Heads
  let value: Heads
  let queries: Segments
  let keys: Segments
  let dropout: Dropout
  /// What the products of queries and keys are multiplied by.
  let scale: Float
  let term: LogitTerm

  init(
    _ query: Heads, _ key: Heads, _ value: Heads, _ queries: Segments, _ keys: Segments,
    _ dropout: Dropout, scale: Float, term: LogitTerm
  ) {
    precondition(
      query.count == key.count && query.count == value.count && query.width == key.width,
      "attention: query, key and value differ in heads, or query and key in width")
    precondition(
      queries.count == keys.count,
      "attention: \(queries.count) query sequences, \(keys.count) key sequences")
    precondition(
      query.tensor.rows == queries.rows && key.tensor.rows == keys.rows
        && value.tensor.rows == keys.rows,
      "attention: \(query.tensor.rows) query rows for \(queries.rows), "
        + "\(key.tensor.rows) key rows for \(keys.rows)")
    self.query = query
    self.key = key
    self.value = value
    self.queries = queries
    self.keys = keys
    self.dropout = dropout
    self.scale = scale
    self.term = term
    term.check(heads: heads, queries, keys)
  }

  static let log2e: Float = 1.442_695_04

  var heads: Int { query.count }
  /// The width of a value.
  var width: Int { value.width }
  /// The width of a query and of a key.
  var keyWidth: Int { query.width }
  /// Whether the backward pass by sequences needs the gradients of the scores: that of a table is
  /// summed by itself.
  var needsScoreGradients: Bool {
    if case .table = term { keyWidth > 0 } else { true }
  }
  /// The widths rounded up to whole panels; the columns beyond are zero.
  var paddedWidth: Int { Panels.count(width) * Panels.width }
  var paddedKeyWidth: Int { Panels.count(keyWidth) * Panels.width }

  /// Enters `multiplyAdds` for each query, key and head into the meter.
  func measure(_ name: String, multiplyAdds: Int, _ kernel: () -> Void) {
    let pairs = (0..<queries.count).reduce(0) { $0 + queries.length($1) * keys.length($1) }
    Meter.shared.measure(
      name, flops: multiplyAdds * 2 * pairs * heads,
      bytes: 4 * (heads * (keyWidth + width) * (queries.rows + keys.rows) + term.count), kernel)
  }

  /// Keys of one sequence and head as panels of log₂(e)·scale·Kᵀ.
  func packKeys(_ sequence: Int, _ head: Int, _ workspace: Workspace) -> Panels {
    let count = packedCount(inner: keyWidth, columns: keys.length(sequence))
    return packKeys(sequence, head, into: workspace.floats(count))
  }

  @discardableResult
  func packKeys(
    _ sequence: Int, _ head: Int, into target: UnsafeMutablePointer<Float>
  ) -> Panels {
    packTransposed(
      key.pointer(keys.offsets[sequence], head), row: key.stride, inner: keyWidth,
      columns: keys.length(sequence), into: target, scale: scale * Self.log2e)
  }

  /// Values of one sequence and head as panels of Vᵀ.
  @discardableResult
  func packTransposedValues(
    _ sequence: Int, _ head: Int, into target: UnsafeMutablePointer<Float>
  ) -> Panels {
    packTransposed(
      value.pointer(keys.offsets[sequence], head), row: value.stride, inner: width,
      columns: keys.length(sequence), into: target)
  }

  /// Rows of one sequence and head as panels as wide as the head, padded with zeros.
  func packRows(_ view: Heads, _ rows: Range<Int>, _ head: Int, _ workspace: Workspace) -> Panels {
    Autodiff.packRows(
      view.pointer(rows.lowerBound, head), row: view.stride, inner: rows.count,
      columns: view.width,
      into: workspace.floats(packedCount(inner: rows.count, columns: view.width)))
  }

  // MARK: Forward

  func forward(into y: Tensor, _ logSums: Storage) {
    let pieces = forwardPieces()
    parallel(pieces.count) { index, workspace in
      let (sequence, head, rows) = pieces[index]
      let packedKeys = packKeys(sequence, head, workspace)
      let packedValues = packRows(value, keys.range(sequence), head, workspace)
      let tile = ForwardTile(self, sequence, head, packedKeys, packedValues, workspace)
      for first in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.queryTile) {
        tile.run(first..<min(rows.upperBound, first + Self.queryTile), into: y, logSums)
      }
    }
  }

  /// Sequences and heads, longest first; cut into ranges of queries where there are few of them.
  private func forwardPieces() -> [(sequence: Int, head: Int, rows: Range<Int>)] {
    let few = queries.count * heads < 4 * Workers.shared.count
    let step = few ? 4 * Self.queryTile : max(1, queries.longest)
    return queries.longestFirst.flatMap { sequence in
      (0..<heads).flatMap { head in
        stride(
          from: queries.offsets[sequence], to: queries.offsets[sequence + 1], by: step
        ).map { (sequence, head, $0..<min(queries.offsets[sequence + 1], $0 + step)) }
      }
    }
  }
}

/// One tile of queries against all keys, with a running maximum and sum.
private struct ForwardTile {
  private let kernel: AttentionKernel
  private let sequence: Int
  private let head: Int
  private let packedKeys: Panels
  private let packedValues: Panels
  private let scores: UnsafeMutablePointer<Float>
  private let result: UnsafeMutablePointer<Float>
  private let maxima: UnsafeMutablePointer<Float>
  private let sums: UnsafeMutablePointer<Float>

  init(
    _ kernel: AttentionKernel, _ sequence: Int, _ head: Int, _ keys: Panels, _ values: Panels,
    _ workspace: Workspace
  ) {
    self.kernel = kernel
    self.sequence = sequence
    self.head = head
    packedKeys = keys
    packedValues = values
    scores = workspace.floats(AttentionKernel.queryTile * AttentionKernel.keyTile)
    result = workspace.floats(AttentionKernel.queryTile * kernel.paddedWidth)
    maxima = workspace.floats(AttentionKernel.queryTile)
    sums = workspace.floats(AttentionKernel.queryTile * laneCount)
  }

  func run(_ rows: Range<Int>, into y: Tensor, _ logSums: Storage) {
    let count = rows.count
    maxima.update(repeating: -.infinity, count: count)
    sums.update(repeating: 0, count: count * laneCount)
    result.update(repeating: 0, count: count * kernel.paddedWidth)
    let length = kernel.keys.length(sequence)
    for first in stride(from: 0, to: length, by: AttentionKernel.keyTile) {
      add(rows, first..<min(length, first + AttentionKernel.keyTile))
    }
    finish(rows, into: y, logSums)
  }

  private func add(_ rows: Range<Int>, _ keys: Range<Int>) {
    let row = AttentionKernel.keyTile
    let padded = Panels.count(keys.count) * Panels.width
    multiply(
      rows: rows.count, columns: padded, inner: kernel.keyWidth,
      StridedMatrix(
        base: kernel.query.pointer(rows.lowerBound, head), row: kernel.query.stride, column: 1),
      Panels(
        base: packedKeys.base + keys.lowerBound / Panels.width * packedKeys.panel,
        step: packedKeys.step, panel: packedKeys.panel),
      into: scores, row: row, accumulate: false)
    kernel.term.add(
      LogitTile(
        rows: rows, keys: keys, first: kernel.queries.offsets[sequence],
        firstKey: kernel.keys.offsets[sequence], head: head),
      to: scores, row: row)
    for r in 0..<rows.count { exponentiate(r, keys.count) }
    if kernel.dropout.isActive { dropWeights(rows, keys) }
    multiply(
      rows: rows.count, columns: kernel.paddedWidth, inner: keys.count,
      StridedMatrix(base: scores, row: row, column: 1),
      Panels(
        base: packedValues.base + keys.lowerBound * packedValues.step, step: packedValues.step,
        panel: packedValues.panel),
      into: result, row: kernel.paddedWidth, accumulate: true)
  }

  /// Turns a row of scores into weights relative to the new maximum, and rescales what came before.
  private func exponentiate(_ r: Int, _ count: Int) {
    let row = scores + r * AttentionKernel.keyTile
    let vectors = (count + laneCount - 1) / laneCount
    maskTail(row, count, vectors)
    var high = load(row)
    for v in 1..<max(vectors, 1) { high = larger(high, load(row + v * laneCount)) }
    let old = maxima[r]
    let new = Swift.max(old, largest(high))
    var sum = load(sums + r * laneCount)
    if new > old {
      let correction = exp2(Lanes(repeating: old - new))
      sum *= correction
      let out = result + r * kernel.paddedWidth
      for j in stride(from: 0, to: kernel.paddedWidth, by: laneCount) {
        store(load(out + j) * correction, out + j)
      }
      maxima[r] = new
    }
    for v in 0..<vectors {
      let p = exp2(load(row + v * laneCount) - new)
      sum += p
      store(p, row + v * laneCount)
    }
    store(sum, sums + r * laneCount)
  }

  /// Scores of columns that only fill a panel up do not count.
  private func maskTail(_ row: UnsafeMutablePointer<Float>, _ count: Int, _ vectors: Int) {
    for j in count..<vectors * laneCount { row[j] = -.infinity }
  }

  private func dropWeights(_ rows: Range<Int>, _ keys: Range<Int>) {
    for (r, global) in rows.enumerated() {
      let rowKey = kernel.dropout.rowKey(global, head + 1)
      let row = scores + r * AttentionKernel.keyTile
      for j in stride(from: 0, to: keys.count, by: laneCount) {
        store(
          load(row + j) * kernel.dropout.factors(rowKey, keys.lowerBound + j), row + j)
      }
    }
  }

  private func finish(_ rows: Range<Int>, into y: Tensor, _ logSums: Storage) {
    let width = kernel.width
    for (r, global) in rows.enumerated() {
      let sum = total(load(sums + r * laneCount))
      let inverse = sum > 0 ? 1 / sum : 0
      let from = result + r * kernel.paddedWidth
      let to = y.pointer + global * y.columns + head * width
      for j in 0..<width { to[j] = from[j] * inverse }
      logSums.pointer[global * kernel.heads + head] = maxima[r] + log2(sum)
    }
  }
}
