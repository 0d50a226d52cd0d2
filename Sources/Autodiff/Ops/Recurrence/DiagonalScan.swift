// SPDX-License-Identifier: Apache-2.0

/// h_t = λ ⊙ h_{t-1} + x_t along each sequence, for S complex states that do not touch each other.
///
/// A row holds the real parts of all states, then their imaginary parts. Reversed, a sequence is
/// passed from its last row to its first: h_t = λ ⊙ h_{t+1} + x_t.
///
/// - Parameters:
///   - x: [N, 2S].
///   - poles: λ, [2, S], the real parts and the imaginary parts.
///   - sequences: the sequences; the state before each is zero.
///   - reversed: whether time runs backwards.
/// - Returns: h, [N, 2S].
/// - Complexity: 8·N·S operations forward and 16·N·S backward, all of them bound by memory: each
///   pass reads and writes rows once. Memory: the result. Time is never cut: lanes run over states,
///   cores over sequences (and over blocks of states where sequences are few).
///
/// Saves: the result, from which the gradient of λ is computed. x is not kept, and the gradient of
/// the result becomes that of x in place:
/// ```
/// dx_t = dh_t + λ̄ ⊙ dx_{t+1}      dλ = Σ_t dx_t ⊙ h̄_{t-1}
/// ```
/// Source: Orvieto et al., "Resurrecting Recurrent Neural Networks for Long Sequences" (2023),
/// arXiv 2303.06349, equation 5; there an associative scan, which needs more operations.
package func diagonalScan(
  _ x: Tensor, poles: Tensor, sequences: PackedSequences, reversed: Bool = false
) -> Tensor {
  precondition(
    poles.shape.count == 2 && poles.shape[0] == 2 && x.columns == poles.count,
    "diagonalScan: poles \(poles.shape) for input \(x.shape)")
  precondition(x.rows == sequences.rows, "diagonalScan: \(x.shape) for \(sequences.rows) rows")
  let scan = DiagonalScan(poles: poles, sequences: sequences, reversed: reversed)
  let h = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  scan.measure("diagonal scan", operations: 8, passes: 2) { scan.forward(x.pointer, into: h) }
  let (source, states, count) = (x.node, h.storage, x.count)
  return h.recorded("diagonal scan", from: x, poles) { dy in
    scan.measure("diagonal scan backward", operations: 16, passes: 3) {
      scan.backward(dy, states)
    }
    source?.accept(dy, count: count)
  }
}

private struct DiagonalScan {
  /// States that a piece takes where whole rows would leave cores idle.
  private static let narrowBlock = 64

  let poles: Tensor
  let sequences: PackedSequences
  let reversed: Bool
  private var states: Int { poles.columns }
  private var columns: Int { 2 * states }

  func measure(_ name: String, operations: Int, passes: Int, _ kernel: () -> Void) {
    Profiler.shared.measure(
      name, flops: operations * sequences.rows * states,
      bytes: 4 * passes * sequences.rows * columns, kernel)
  }

  /// Runs `body(sequence, states, workspace)` for all sequences and states.
  private func forEachPiece(_ body: (Int, Range<Int>, Workspace) -> Void) {
    let whole = sequences.count >= 2 * Workers.shared.count
    let step = whole ? max(states, 1) : Self.narrowBlock
    let blocks = stride(from: 0, to: states, by: step).map { $0..<min(states, $0 + step) }
    let order = sequences.longestFirst
    parallel(order.count * blocks.count) { index, workspace in
      body(order[index / blocks.count], blocks[index % blocks.count], workspace)
    }
  }

  /// The rows of a sequence in the order of its time, or against it.
  private func rows(_ sequence: Int, against: Bool) -> StrideTo<Int> {
    let range = sequences.range(sequence)
    return reversed != against
      ? stride(from: range.upperBound - 1, to: range.lowerBound - 1, by: -1)
      : stride(from: range.lowerBound, to: range.upperBound, by: 1)
  }

  // MARK: Forward

  func forward(_ x: UnsafePointer<Float>, into h: Tensor) {
    forEachPiece { sequence, block, workspace in
      var previous = UnsafePointer(workspace.zeros(columns))
      for row in rows(sequence, against: false) {
        let to = h.pointer + row * columns
        advance(previous, x + row * columns, into: to, block)
        previous = UnsafePointer(to)
      }
    }
  }

  /// h = λ ⊙ previous + x.
  @inline(__always)
  private func advance(
    _ previous: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
    into h: UnsafeMutablePointer<Float>, _ block: Range<Int>
  ) {
    let (lambda, states) = (poles.pointer, states)
    forLanes(block) { i, width in
      let (a, b) = (load(lambda + i, count: width), load(lambda + states + i, count: width))
      let (re, im) = (load(previous + i, count: width), load(previous + states + i, count: width))
      let newRe = load(x + i, count: width).addingProduct(a, re).addingProduct(-b, im)
      let newIm = load(x + states + i, count: width).addingProduct(a, im).addingProduct(b, re)
      store(newRe, h + i, count: width)
      store(newIm, h + states + i, count: width)
    }
  }

  // MARK: Backward

  /// Turns dh into dx and stores or adds dλ.
  func backward(_ dh: Storage, _ h: Storage) {
    let partial = PartialSums(pieces: sequences.count, size: columns)
    forEachPiece { sequence, block, workspace in
      let zeros = UnsafePointer(workspace.zeros(columns))
      let sums = partial[sequence]
      (sums + block.lowerBound).update(repeating: 0, count: block.count)
      (sums + states + block.lowerBound).update(repeating: 0, count: block.count)
      let (step, range) = (reversed ? 1 : -1, sequences.range(sequence))
      var next = zeros
      for row in rows(sequence, against: true) {
        let hasBefore = range.contains(row + step)
        let before = hasBefore ? UnsafePointer(h.pointer + (row + step) * columns) : zeros
        retreat(next, before, dh.pointer + row * columns, sums, block)
        next = UnsafePointer(dh.pointer + row * columns)
      }
    }
    if let target = poles.node?.target() { partial.reduce(0, columns, into: target) }
  }

  /// dh += λ̄ ⊙ next, sums += dh ⊙ (conjugate of the state before).
  @inline(__always)
  private func retreat(
    _ next: UnsafePointer<Float>, _ before: UnsafePointer<Float>, _ dh: UnsafeMutablePointer<Float>,
    _ sums: UnsafeMutablePointer<Float>, _ block: Range<Int>
  ) {
    let (lambda, states) = (poles.pointer, states)
    forLanes(block) { i, width in
      let j = i + states
      let (a, b) = (load(lambda + i, count: width), load(lambda + j, count: width))
      let (nextRe, nextIm) = (load(next + i, count: width), load(next + j, count: width))
      let re = load(dh + i, count: width).addingProduct(a, nextRe).addingProduct(b, nextIm)
      let im = load(dh + j, count: width).addingProduct(a, nextIm).addingProduct(-b, nextRe)
      store(re, dh + i, count: width)
      store(im, dh + j, count: width)
      let (hRe, hIm) = (load(before + i, count: width), load(before + j, count: width))
      let sumRe = load(sums + i, count: width).addingProduct(re, hRe).addingProduct(im, hIm)
      let sumIm = load(sums + j, count: width).addingProduct(im, hRe).addingProduct(-re, hIm)
      store(sumRe, sums + i, count: width)
      store(sumIm, sums + j, count: width)
    }
  }
}
