// SPDX-License-Identifier: Apache-2.0

/// Rows of a table by position: each sequence gets the first of them, as many as it is long.
///
/// ```
/// y[i] = T[i - start of i's sequence]
/// ```
/// - Parameters:
///   - table: T, [at least the longest sequence, C].
///   - sequences: the sequences.
/// - Returns: [N, C].
/// - Complexity: O(N·C) time and memory.
package func tableRows(_ table: Tensor, sequences: PackedSequences) -> Tensor {
  precondition(
    table.rows >= sequences.longest,
    "tableRows: table \(table.shape) for a sequence of \(sequences.longest)")
  let width = table.columns
  let y = Tensor(
    shape: [sequences.rows, width], storage: Storage(count: sequences.rowCapacity * width))
  let bytes = 8 * sequences.rows * width
  Profiler.shared.measure("table rows", flops: 0, bytes: bytes) {
    parallel(sequences.count) { sequence, _ in
      (y.pointer + sequences.offsets[sequence] * width).update(
        from: table.pointer, count: sequences.length(sequence) * width)
    }
  }
  return y.recorded("table rows", from: table) { dy in
    guard let target = table.node?.target() else { return }
    Profiler.shared.measure("table rows backward", flops: sequences.rows * width, bytes: bytes) {
      addRows(dy.pointer, sequences, width, table.rows, into: target)
    }
  }
}

/// The gradient of a row is the sum over the sequences that reach it.
private func addRows(
  _ dy: UnsafePointer<Float>, _ sequences: PackedSequences, _ width: Int, _ rows: Int,
  into target: GradientTarget
) {
  parallel(rows, by: tileRows) { range, _ in
    let to = target.pointer + range.lowerBound * width
    if !target.accumulate { to.update(repeating: 0, count: range.count * width) }
    for sequence in 0..<sequences.count {
      let last = min(range.upperBound, sequences.length(sequence))
      guard last > range.lowerBound else { continue }
      let from = dy + (sequences.offsets[sequence] + range.lowerBound) * width
      for i in 0..<(last - range.lowerBound) * width { to[i] += from[i] }
    }
  }
}
