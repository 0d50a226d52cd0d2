import Foundation

/// What ``fourierMix`` needs for one length and width: computed once, used by every step.
public struct FourierPlan: Sendable {
  /// L, the length of the transform along the sequence.
  public let length: Int
  /// E, the length of the transform along the row.
  public let width: Int
  fileprivate let transform: MixedRadix
  /// The transform along the row as panels of E × 32: sixteen columns of cosines, then of sines.
  fileprivate let matrix: [Float]
  /// Panels; frequency k of a row of real numbers is the conjugate of E - k, so half of them do.
  fileprivate var panels: Int { FourierPlan.panels(width) }

  /// - Parameters:
  ///   - length: L.
  ///   - width: E.
  ///   - scale: what the result is multiplied by; 1 is the transform without normalisation.
  public init(length: Int, width: Int, scale: Double = 1) {
    self.length = length
    self.width = width
    transform = MixedRadix(length: length)
    matrix = (0..<FourierPlan.panels(width)).flatMap { panel in
      (0..<width).flatMap { row in
        FourierPlan.matrixRow(row, panel, width).map { Float($0 * scale) }
      }
    }
  }

  private static func panels(_ width: Int) -> Int { ((width + 1) / 2 + laneCount - 1) / laneCount }

  /// Row j of a panel: e^(-2πijk/E) for its sixteen frequencies k.
  ///
  /// Frequencies 0 and E/2 of real numbers are real, so that E/2 takes the place of the imaginary part
  /// of 0.
  private static func matrixRow(_ j: Int, _ panel: Int, _ width: Int) -> [Double] {
    let frequencies = panel * laneCount..<(panel + 1) * laneCount
    let inside = frequencies.map { 2 * $0 < width || $0 == 0 }
    let angles = frequencies.map { 2 * Double.pi * Double(j * $0 % width) / Double(width) }
    let cosines = zip(angles, inside).map { $1 ? Foundation.cos($0) : 0 }
    var sines = zip(angles, inside).map { $1 ? -Foundation.sin($0) : 0 }
    if panel == 0 { sines[0] = width % 2 == 0 ? (j % 2 == 0 ? 1 : -1) : 0 }
    return cosines + sines
  }
}

/// y = Re(F_L·x·F_E): the real part of the two-dimensional Fourier transform of every sequence, which
/// is followed by zeros up to the length L of the plan.
///
/// ```
/// y[l, k] = Σ_n Σ_j x[n, j]·cos(2π(ln/L + kj/E))
/// ```
/// L is a constant of the model, not the longest sequence of the batch: so the result for a sequence
/// depends on itself alone. Only its own rows of the result are computed.
///
/// - Parameters:
///   - x: [N, E].
///   - plan: L and E.
///   - segments: the sequences, at most L long.
/// - Returns: [N, E].
/// - Complexity: N·E² operations for the rows, as a matrix product, and B·E·O(L log L) for the
///   columns; see ``MixedRadix`` for lengths with large prime factors. The matrix of the map is
///   symmetric, so the backward pass is the forward pass on dy. Memory: the result; a core needs
///   2·L·32 floats.
///
/// Saves: nothing.
///
/// Source: Lee-Thorp et al., "FNet: Mixing Tokens with Fourier Transforms" (2021),
/// arXiv 2105.03824, equation 3.
public func fourierMix(_ x: Tensor, plan: FourierPlan, segments: Segments) -> Tensor {
  precondition(x.columns == plan.width, "fourierMix: \(x.shape) for a plan of \(plan.width)")
  precondition(
    x.rows == segments.rows && segments.longest <= plan.length,
    "fourierMix: \(x.shape), sequences up to \(segments.longest) for length \(plan.length)")
  let kernel = FourierKernel(plan: plan, segments: segments)
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  kernel.measure("Fourier mix") { kernel.run(x.pointer, into: y.pointer) }
  let (source, elements, count) = (x.node, x.storage.count, x.count)
  return y.recorded("Fourier mix", from: x) { dy in
    let dx = Storage(count: elements)
    kernel.measure("Fourier mix backward") { kernel.run(dy.pointer, into: dx.pointer) }
    source?.accept(dx, count: count)
  }
}

private struct FourierKernel {
  let plan: FourierPlan
  let segments: Segments
  private var width: Int { plan.width }

  func measure(_ name: String, _ kernel: () -> Void) {
    let columns = plan.panels * laneCount
    Meter.shared.measure(
      name,
      flops: 4 * segments.rows * width * columns
        + segments.count * columns * plan.transform.operations,
      bytes: 8 * segments.rows * width, kernel)
  }

  func run(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    let order = segments.longestFirst
    parallel(order.count * plan.panels) { index, workspace in
      let (sequence, panel) = (order[index / plan.panels], index % plan.panels)
      let rows = segments.range(sequence)
      let room = plan.length * ComplexLanes.count
      let columns = workspace.floats(room)
      transformRows(x + rows.lowerBound * width, rows.count, panel, into: columns)
      let filled = rows.count * ComplexLanes.count
      (columns + filled).update(repeating: 0, count: room - filled)
      let result = plan.transform(columns, other: workspace.floats(room), workspace)
      write(result, panel, rows.count, into: y + rows.lowerBound * width)
    }
  }

  private func transformRows(
    _ x: UnsafePointer<Float>, _ rows: Int, _ panel: Int, into columns: UnsafeMutablePointer<Float>
  ) {
    plan.matrix.withUnsafeBufferPointer { matrix in
      guard let base = matrix.baseAddress else { return }
      multiply(
        rows: rows, columns: Panels.width, inner: width,
        StridedMatrix(base: x, row: width, column: 1),
        Panels(
          base: base + panel * width * Panels.width, step: Panels.width,
          panel: width * Panels.width),
        into: columns, row: ComplexLanes.count, accumulate: false)
    }
  }

  /// Real parts go to frequency k; those of position -l are the real parts of frequency E - k, since
  /// the numbers of the two are conjugate before the transform along the columns.
  private func write(
    _ result: UnsafePointer<Float>, _ panel: Int, _ rows: Int, into y: UnsafeMutablePointer<Float>
  ) {
    let first = panel * laneCount
    let count = min(laneCount, (width + 1) / 2 - first)
    for l in 0..<rows {
      let here = result + l * ComplexLanes.count
      let mirrored = result + (l == 0 ? 0 : plan.length - l) * ComplexLanes.count
      let to = y + l * width
      if count == laneCount && (first > 0 || l + 1 < rows) {
        store(load(here), to + first)
        // Frequency 0 has no mirror image: its lane falls on the next row, which comes next.
        store(reversed(load(mirrored)), to + width - first - laneCount + 1)
      } else {
        for lane in 0..<count where first + lane > 0 {
          to[first + lane] = here[lane]
          to[width - first - lane] = mirrored[lane]
        }
      }
      if first == 0 {
        to[0] = (here[0] + mirrored[0]) / 2
        if width % 2 == 0 { to[width / 2] = (here[laneCount] + mirrored[laneCount]) / 2 }
      }
    }
  }
}
