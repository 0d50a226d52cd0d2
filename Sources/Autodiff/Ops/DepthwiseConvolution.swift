/// A convolution along each sequence, with one kernel for all columns of a head.
///
/// ```
/// y[i, c] = Σₜ w[h(c), t]·x[i + t - (T - 1)/2, c]      x is zero beyond the ends of the sequence
/// ```
/// - Parameters:
///   - x: [N, H·D] of its tensor.
///   - kernel: w, [H, T]; T is odd.
///   - segments: the sequences.
/// - Returns: [N, H·D].
/// - Complexity: 2·T·N·H·D operations forward, twice that backward; memory: the result.
///
/// Saves: x.
///
/// Source: Xiong et al., "Nyströmformer" (2021), arXiv 2102.03902: the skip connection of the
/// values.
public func depthwiseConvolution(_ x: Heads, kernel: Tensor, segments: Segments) -> Tensor {
  let work = ConvolutionKernel(x, kernel, segments)
  let columns = x.count * x.width
  let y = Tensor(
    shape: [segments.rows, columns], storage: Storage(count: x.tensor.rowCapacity * columns))
  work.measure("depthwise convolution", passes: 1) { work.forward(into: y) }
  return y.recorded("depthwise convolution", from: x.tensor, kernel) { dy in
    work.measure("depthwise convolution backward", passes: 2) { work.backward(dy) }
  }
}

/// One sequence and head at a time, in tiles of rows copied between zeros.
private struct ConvolutionKernel {
  private static let tile = 256
  /// Rows, or taps, of which the sums stay in registers together.
  private static let block = 8

  private let x: Heads
  private let kernel: Tensor
  private let segments: Segments
  private let taps: Int
  /// D rounded up to whole vectors.
  private let padded: Int

  init(_ x: Heads, _ kernel: Tensor, _ segments: Segments) {
    precondition(
      kernel.shape.count == 2 && kernel.rows == x.count && kernel.columns % 2 == 1,
      "depthwiseConvolution: kernel \(kernel.shape) for \(x.count) heads must be odd")
    precondition(
      x.tensor.rows == segments.rows,
      "depthwiseConvolution: \(x.tensor.shape) for \(segments.rows) rows")
    self.x = x
    self.kernel = kernel
    self.segments = segments
    taps = kernel.columns
    padded = (x.width + laneCount - 1) / laneCount * laneCount
  }

  func measure(_ name: String, passes: Int, _ body: () -> Void) {
    let elements = segments.rows * x.count * x.width
    Meter.shared.measure(
      name, flops: 2 * passes * taps * elements, bytes: 4 * (passes + 1) * elements, body)
  }

  private func forEachHead(_ body: (Int, Int, Workspace) -> Void) {
    let order = segments.longestFirst
    parallel(order.count * x.count) { index, workspace in
      body(order[index / x.count], index % x.count, workspace)
    }
  }

  // MARK: Forward

  func forward(into y: Tensor) {
    forEachHead { sequence, head, workspace in
      let weights = spreadKernel(head, reversed: false, workspace)
      let around = workspace.floats(windowCount)
      let sums = workspace.floats(Self.tile * padded)
      for rows in segments.tiles(sequence, of: Self.tile) {
        copyWindow(x.pointer(0, head), x.stride, rows, segments.range(sequence), into: around)
        convolve(around, weights, rows.count, into: sums)
        for (r, row) in rows.enumerated() {
          (y.pointer + row * y.columns + head * x.width).update(
            from: sums + r * padded, count: x.width)
        }
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
    window.update(repeating: 0, count: windowCount)
    let first = rows.lowerBound - taps / 2
    for row in max(
      first, sequence.lowerBound)..<min(rows.upperBound + taps / 2, sequence.upperBound)
    {
      (window + (row - first) * padded).update(from: source + row * stride, count: x.width)
    }
  }

  /// sums[r] = Σₜ w[t]·window[r + t], eight rows at a time.
  private func convolve(
    _ window: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ rows: Int,
    into sums: UnsafeMutablePointer<Float>
  ) {
    for first in stride(from: 0, to: rows, by: Self.block) {
      for column in stride(from: 0, to: padded, by: laneCount) {
        convolveBlock(
          window + first * padded + column, weights, into: sums + first * padded + column)
      }
    }
  }

  /// Row r of the block uses tap j - r of window row j; taps outside 0 ..< T are zero.
  private func convolveBlock(
    _ window: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    into sums: UnsafeMutablePointer<Float>
  ) {
    var s0 = Lanes(), s1 = Lanes(), s2 = Lanes(), s3 = Lanes()
    var s4 = Lanes(), s5 = Lanes(), s6 = Lanes(), s7 = Lanes()
    for j in 0..<taps + Self.block - 1 {
      let row = load(window + j * padded)
      let w = weights + j
      s0.addProduct(row, Lanes(repeating: w[7]))
      s1.addProduct(row, Lanes(repeating: w[6]))
      s2.addProduct(row, Lanes(repeating: w[5]))
      s3.addProduct(row, Lanes(repeating: w[4]))
      s4.addProduct(row, Lanes(repeating: w[3]))
      s5.addProduct(row, Lanes(repeating: w[2]))
      s6.addProduct(row, Lanes(repeating: w[1]))
      s7.addProduct(row, Lanes(repeating: w[0]))
    }
    store(s0, sums)
    store(s1, sums + padded)
    store(s2, sums + 2 * padded)
    store(s3, sums + 3 * padded)
    store(s4, sums + 4 * padded)
    store(s5, sums + 5 * padded)
    store(s6, sums + 6 * padded)
    store(s7, sums + 7 * padded)
  }

  // MARK: Backward

  /// dx is dy convolved with the reversed kernel; dw[t] = Σᵢ dy[i]·x[i + t - (T - 1)/2].
  func backward(_ dy: Storage) {
    let targets = HeadTargets([x])
    let partial = PartialSums(pieces: segments.count, size: x.count * taps)
    let columns = x.count * x.width
    forEachHead { sequence, head, workspace in
      let weights = spreadKernel(head, reversed: true, workspace)
      let around = workspace.floats(windowCount)
      let gradients = workspace.floats(Self.tile * padded)
      let dKernel = partial[sequence] + head * taps
      dKernel.update(repeating: 0, count: taps)
      let source = UnsafePointer(dy.pointer + head * x.width)
      for rows in segments.tiles(sequence, of: Self.tile) {
        copyWindow(source, columns, rows, segments.range(sequence), into: around)
        convolve(around, weights, rows.count, into: gradients)
        targets.write(gradients, row: padded, rows: rows, x, head)
        copyWindow(x.pointer(0, head), x.stride, rows, segments.range(sequence), into: around)
        copyRows(source, columns, rows, into: gradients)
        addCorrelation(gradients, around, rows.count, into: dKernel)
      }
    }
    if let target = kernel.node?.target() { partial.reduce(0, kernel.count, into: target) }
  }

  private func copyRows(
    _ source: UnsafePointer<Float>, _ stride: Int, _ rows: Range<Int>,
    into target: UnsafeMutablePointer<Float>
  ) {
    for (r, row) in rows.enumerated() {
      let to = target + r * padded
      to.update(from: source + row * stride, count: x.width)
      (to + x.width).update(repeating: 0, count: padded - x.width)
    }
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
      total(s0), total(s1), total(s2), total(s3), total(s4), total(s5), total(s6), total(s7))
  }
}
