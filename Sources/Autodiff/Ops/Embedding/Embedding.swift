// SPDX-License-Identifier: Apache-2.0

/// Token numbers of a packed batch.
package struct Indices: Sendable {
  /// One number for each real token.
  package let values: [Int32]

  /// Wraps token numbers.
  package init(_ values: [Int32]) { self.values = values }
}

/// y = applyDropout(T[token] + P[position]), the beginning of every model, in one pass.
///
/// The token number -1 stands for the class token: its row is `classToken`.
///
/// - Parameters:
///   - tokens: one number for each row, 0 ..< V or -1.
///   - table: T, [V, E].
///   - positions: P, [at least the longest sequence, E].
///   - classToken: the row of token -1, [E].
///   - sequences: the sequences; the position of a row is its distance from the start of its own.
///   - dropout: applied to the sum.
/// - Returns: [N, E], with room for the padded batch.
/// - Precondition: the numbers are in range.
/// - Complexity: O(N·E) time and memory.
package func embed(
  _ tokens: Indices, table: Tensor, positions: Tensor, classToken: Tensor? = nil,
  sequences: PackedSequences, dropout: Dropout = .none
) -> Tensor {
  let kernel = EmbeddingKernel(tokens, table, positions, classToken, sequences, dropout)
  let width = table.columns
  let y = Tensor(
    shape: [sequences.rows, width], storage: Storage(count: sequences.rowCapacity * width))
  kernel.measure("embedding") { kernel.forward(into: y) }
  return y.recorded("embedding", from: table, positions, classToken) { dy in
    kernel.measure("embedding backward") { kernel.backward(dy) }
  }
}

private struct EmbeddingKernel {
  let tokens: [Int32]
  let table: Tensor
  let positions: Tensor
  let classToken: Tensor?
  let sequences: PackedSequences
  let dropout: Dropout
  private let width: Int

  init(
    _ tokens: Indices, _ table: Tensor, _ positions: Tensor, _ classToken: Tensor?,
    _ sequences: PackedSequences, _ dropout: Dropout
  ) {
    self.tokens = tokens.values
    self.table = table
    self.positions = positions
    self.classToken = classToken
    self.sequences = sequences
    self.dropout = dropout
    width = table.columns
    precondition(
      tokens.values.count == sequences.rows,
      "embed: \(tokens.values.count) tokens for \(sequences.rows) rows")
    precondition(
      positions.columns == width && positions.rows >= sequences.longest,
      "embed: positions \(positions.shape) for width \(width), length \(sequences.longest)")
    let lowest = classToken == nil ? 0 : -1
    precondition(
      tokens.values.allSatisfy { $0 >= lowest && $0 < table.rows },
      "embed: a token is outside \(lowest) ..< \(table.rows)")
  }

  func measure(_ name: String, _ kernel: () -> Void) {
    Profiler.shared.measure(
      name, flops: sequences.rows * width, bytes: 12 * sequences.rows * width, kernel)
  }

  func forward(into y: Tensor) {
    forEachRun { row, position, count in
      for i in 0..<count {
        let from = tokenRow(tokens[row + i])
        let place = positions.pointer + (position + i) * width
        let to = y.pointer + (row + i) * width
        for j in 0..<width { to[j] = from[j] + place[j] }
      }
      if dropout.isActive {
        let to = y.pointer + row * width
        applyDropout(dropout, to, count, width, firstRow: row, into: to)
      }
    }
  }

  private func tokenRow(_ token: Int32) -> UnsafePointer<Float> {
    if token < 0, let classToken { return UnsafePointer(classToken.pointer) }
    return UnsafePointer(table.pointer + Int(token) * width)
  }

  /// Calls `body(row, position, count)` for runs of rows inside one sequence, on all cores.
  private func forEachRun(_ body: (Int, Int, Int) -> Void) {
    parallel(sequences.count) { sequence, _ in
      body(sequences.offsets[sequence], 0, sequences.length(sequence))
    }
  }

  func backward(_ dy: Storage) {
    if dropout.isActive {
      forEachRun { row, _, count in
        let to = dy.pointer + row * width
        applyDropout(dropout, to, count, width, firstRow: row, into: to)
      }
    }
    if let target = positions.node?.target() { addPositions(dy, target) }
    addTokens(dy)
  }

  /// The gradient of a position is the sum over the sequences that reach it.
  private func addPositions(_ dy: Storage, _ target: GradientTarget) {
    parallel(positions.rows, by: tileRows) { range, _ in
      let to = target.pointer + range.lowerBound * width
      if !target.accumulate { to.update(repeating: 0, count: range.count * width) }
      for sequence in 0..<sequences.count {
        let last = min(range.upperBound, sequences.length(sequence))
        guard last > range.lowerBound else { continue }
        let from = dy.pointer + (sequences.offsets[sequence] + range.lowerBound) * width
        for i in 0..<(last - range.lowerBound) * width { to[i] += from[i] }
      }
    }
  }

  private func addTokens(_ dy: Storage) {
    let size = (table.rows + 1) * width
    let partial = DeterministicReduction(rows: sequences.rows, sum: size).sums(size) {
      rows, sums, _ in
      for row in rows {
        let slot = tokens[row] < 0 ? table.rows : Int(tokens[row])
        let to = sums + slot * width
        let from = dy.pointer + row * width
        for j in 0..<width { to[j] += from[j] }
      }
    }
    if let target = table.node?.target() {
      partial.reduce(0, table.rows * width, into: target)
    }
    if let target = classToken?.node?.target() {
      partial.reduce(table.rows * width, width, into: target)
    }
  }
}
