/// Rows of a table by position: each sequence gets the first of them, as many as it is long.
///
/// ```
/// y[i] = T[i - start of i's sequence]
/// ```
/// - Parameters:
///   - table: T, [at least the longest sequence, C].
///   - segments: the sequences.
/// - Returns: [N, C].
/// - Complexity: O(N·C) time and memory.
public func tableRows(_ table: Tensor, segments: PackedSequences) -> Tensor {
  precondition(
    table.rows >= segments.longest,
    "tableRows: table \(table.shape) for a sequence of \(segments.longest)")
  let width = table.columns
  let y = Tensor(
    shape: [segments.rows, width], storage: Storage(count: segments.rowCapacity * width))
  let bytes = 8 * segments.rows * width
  Profiler.shared.measure("table rows", flops: 0, bytes: bytes) {
    parallel(segments.count) { sequence, _ in
      (y.pointer + segments.offsets[sequence] * width).update(
        from: table.pointer, count: segments.length(sequence) * width)
    }
  }
  return y.recorded("table rows", from: table) { dy in
    guard let target = table.node?.target() else { return }
    Profiler.shared.measure("table rows backward", flops: segments.rows * width, bytes: bytes) {
      addRows(dy.pointer, segments, width, table.rows, into: target)
    }
  }
}

/// The gradient of a row is the sum over the sequences that reach it.
private func addRows(
  _ dy: UnsafePointer<Float>, _ segments: PackedSequences, _ width: Int, _ rows: Int,
  into target: GradientTarget
) {
  parallel(rows, by: tileRows) { range, _ in
    let to = target.pointer + range.lowerBound * width
    if !target.accumulate { to.update(repeating: 0, count: range.count * width) }
    for sequence in 0..<segments.count {
      let last = min(range.upperBound, segments.length(sequence))
      guard last > range.lowerBound else { continue }
      let from = dy + (segments.offsets[sequence] + range.lowerBound) * width
      for i in 0..<(last - range.lowerBound) * width { to[i] += from[i] }
    }
  }
}
