// SPDX-License-Identifier: Apache-2.0

/// A convolution along each sequence, with one kernel for all columns of a head.
///
/// ```
/// y[i, c] = r[i, c] + Σₜ w[h(c), t]·x[i + t - (T - 1)/2, c]
/// ```
/// x is zero beyond the ends of the sequence.
///
/// - Parameters:
///   - residual: r, [N, H·D].
///   - x: [N, H·D] of its tensor.
///   - kernel: w, [H, T]; T is odd.
///   - sequences: the sequences.
/// - Returns: [N, H·D].
/// - Complexity: 2·T·N·H·D operations forward, twice that backward; memory: the result.
///
/// Saves: x. The gradient of r is the gradient of y itself, handed on without a copy.
///
/// Source: Xiong et al., "Nyströmformer" (2021), arXiv 2102.03902: the skip connection of the
/// values.
package func depthwiseConvolution(
  _ residual: Tensor, adding x: HeadsView, kernel: Tensor, sequences: PackedSequences
) -> Tensor {
  let work = ConvolutionKernel(x, kernel, sequences)
  precondition(
    residual.shape == [sequences.rows, x.count * x.width],
    "depthwiseConvolution: residual \(residual.shape) for \(x.count) heads of \(x.width)")
  let y = Tensor(shape: residual.shape, storage: Storage(count: residual.storage.count))
  work.measure("depthwise convolution", passes: 1) { work.forward(residual.pointer, into: y) }
  let shortcut = residual.node
  return y.recorded("depthwise convolution", from: residual, x.tensor, kernel) { dy in
    work.measure("depthwise convolution backward", passes: 2) { work.backward(dy) }
    shortcut?.accept(dy, count: sequences.rows * x.count * x.width)
  }
}

/// One sequence and head at a time, in tiles of rows copied between zeros.
private struct ConvolutionKernel {
  private static let tile = 256
  /// Rows, or taps, of which the sums stay in registers together.
  private static let block = 8

  private let x: HeadsView
  private let kernel: Tensor
  private let sequences: PackedSequences
  private let taps: Int
  /// D rounded up to whole panels.
  private let padded: Int

  init(_ x: HeadsView, _ kernel: Tensor, _ sequences: PackedSequences) {
    precondition(
      kernel.shape.count == 2 && kernel.rows == x.count && kernel.columns % 2 == 1,
      "depthwiseConvolution: kernel \(kernel.shape) for \(x.count) heads must be odd")
    precondition(
      x.tensor.rows == sequences.rows,
      "depthwiseConvolution: \(x.tensor.shape) for \(sequences.rows) rows")
    self.x = x
    self.kernel = kernel
    self.sequences = sequences
    taps = kernel.columns
    padded = Panels.padded(x.width)
  }

  func measure(_ name: String, passes: Int, _ body: () -> Void) {
    let elements = sequences.rows * x.count * x.width
    Profiler.shared.measure(
      name, flops: 2 * passes * taps * elements, bytes: 4 * 3 * elements, body)
  }

  private func forEachHead(_ body: (Int, Int, Workspace) -> Void) {
    let order = sequences.longestFirst
    parallel(order.count * x.count) { index, workspace in
      body(order[index / x.count], index % x.count, workspace)
    }
  }

  // MARK: Forward

  func forward(_ residual: UnsafePointer<Float>, into y: Tensor) {
    forEachHead { sequence, head, workspace in
      let weights = spreadKernel(head, reversed: false, workspace)
      let around = workspace.floats(windowCount)
      for rows in sequences.tiles(sequence, of: Self.tile) {
        copyWindow(x.pointer(0, head), x.stride, rows, sequences.range(sequence), into: around)
        let first = rows.lowerBound * y.columns + head * x.width
        for at in stride(from: first, to: first + rows.count * y.columns, by: y.columns) {
          (y.pointer + at).update(from: residual + at, count: x.width)
        }
        convolve(
          around, weights, rows.count, into: y.pointer + first, row: y.columns, accumulate: true)
      }
    }
  }

  /// The taps of one head between zeros, so that a block of rows can pass over them together.
  private func spreadKernel(
    _ head: Int, reversed: Bool, _ workspace: Workspace
  ) -> UnsafeMutablePointer<Float> {
    let weights = workspace.zeros(taps + 2 * Self.block)
    let from = kernel.pointer + head * taps
    for t in 0..<taps { weights[Self.block - 1 + t] = from[reversed ? taps - 1 - t : t] }
    return weights
  }

  /// Floats of a tile with the rows that its convolution reaches.
  private var windowCount: Int { (Self.tile + taps + Self.block) * padded }

  /// Copies the rows of a tile and (T - 1)/2 on either side; what lies outside the sequence is
  /// zero.
  private func copyWindow(
    _ source: UnsafePointer<Float>, _ stride: Int, _ rows: Range<Int>, _ sequence: Range<Int>,
    into window: UnsafeMutablePointer<Float>
  ) {
    let first = rows.lowerBound - taps / 2
    let inside =
      max(first, sequence.lowerBound)..<min(rows.upperBound + taps / 2, sequence.upperBound)
    let (start, end) = ((inside.lowerBound - first) * padded, (inside.upperBound - first) * padded)
    window.update(repeating: 0, count: start)
    for row in inside {
      prefetch(source + (row + tileRows) * stride, count: x.width)
      copyRow(
        source + row * stride, count: x.width, padded: padded,
        into: window + (row - first) * padded)
    }
    (window + end).update(repeating: 0, count: windowCount - end)
  }

  /// sums[r] = or += Σₜ w[t]·window[r + t], as a product for every eight rows: row r of the left-hand
  /// side has tap j - r for row j of the window, and zero where there is no such tap.
  private func convolve(
    _ window: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ rows: Int,
    into sums: UnsafeMutablePointer<Float>, row: Int, accumulate: Bool
  ) {
    let spread = StridedMatrix(base: weights + Self.block - 1, rowStride: -1, columnStride: 1)
    for first in stride(from: 0, to: rows, by: Self.block) {
      gemm(
        rows: min(Self.block, rows - first), columns: x.width, inner: taps + Self.block - 1, spread,
        Panels(rowMajor: window + first * padded, stride: padded), into: sums + first * row,
        stride: row, accumulate: accumulate)
    }
  }

  // MARK: Backward

  /// dx is dy convolved with the reversed kernel; dw[t] = Σᵢ dy[i]·x[i + t - (T - 1)/2].
  func backward(_ dy: Storage) {
    let targets = HeadTargets([x])
    let partial = PartialSums(pieces: sequences.count, size: x.count * taps)
    let columns = x.count * x.width
    forEachHead { sequence, head, workspace in
      let weights = spreadKernel(head, reversed: true, workspace)
      let (around, aroundDy) = (workspace.floats(windowCount), workspace.floats(windowCount))
      let gradients = workspace.floats(Self.tile * padded)
      let dKernel = partial[sequence] + head * taps
      dKernel.update(repeating: 0, count: taps)
      let source = UnsafePointer(dy.pointer + head * x.width)
      for rows in sequences.tiles(sequence, of: Self.tile) {
        copyWindow(source, columns, rows, sequences.range(sequence), into: aroundDy)
        convolve(aroundDy, weights, rows.count, into: gradients, row: padded, accumulate: false)
        targets.write(gradients, row: padded, rows: rows, x, head)
        copyWindow(x.pointer(0, head), x.stride, rows, sequences.range(sequence), into: around)
        addCorrelation(aroundDy + taps / 2 * padded, around, rows.count, into: dKernel)
      }
    }
    if let target = kernel.node?.target() { partial.reduce(0, kernel.count, into: target) }
  }

  /// dw[t] += Σ over rows and columns of dy[r]·window[r + t], eight taps at a time.
  private func addCorrelation(
    _ dy: UnsafePointer<Float>, _ window: UnsafePointer<Float>, _ rows: Int,
    into dKernel: UnsafeMutablePointer<Float>
  ) {
    for first in stride(from: 0, to: taps, by: Self.block) {
      let sums = correlateBlock(dy, window + first * padded, rows)
      for t in 0..<min(Self.block, taps - first) { dKernel[first + t] += sums[t] }
    }
  }

  private func correlateBlock(
    _ dy: UnsafePointer<Float>, _ window: UnsafePointer<Float>, _ rows: Int
  ) -> SIMD8<Float> {
    var s0 = Lanes(), s1 = Lanes(), s2 = Lanes(), s3 = Lanes()
    var s4 = Lanes(), s5 = Lanes(), s6 = Lanes(), s7 = Lanes()
    for at in stride(from: 0, to: rows * padded, by: laneCount) {
      let d = load(dy + at)
      let from = window + at
      s0.addProduct(d, load(from))
      s1.addProduct(d, load(from + padded))
      s2.addProduct(d, load(from + 2 * padded))
      s3.addProduct(d, load(from + 3 * padded))
      s4.addProduct(d, load(from + 4 * padded))
      s5.addProduct(d, load(from + 5 * padded))
      s6.addProduct(d, load(from + 6 * padded))
      s7.addProduct(d, load(from + 7 * padded))
    }
    return SIMD8(
      horizontalSum(s0), horizontalSum(s1), horizontalSum(s2), horizontalSum(s3), horizontalSum(s4),
      horizontalSum(s5), horizontalSum(s6), horizontalSum(s7))
  }
}
