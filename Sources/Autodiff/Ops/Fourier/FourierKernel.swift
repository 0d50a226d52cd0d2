// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Re(F_L·x·F_E) of sequences, one after the other.
struct FourierKernel {
  let plan: FourierPlan
  let sequences: PackedSequences
  private var width: Int { plan.width }

  /// Checks the shapes, naming the operation in the message.
  init(_ name: String, _ x: Tensor, _ plan: FourierPlan, _ sequences: PackedSequences) {
    precondition(x.columns == plan.width, "\(name): \(x.shape) for a plan of \(plan.width)")
    precondition(
      x.rows == sequences.rows && sequences.longest <= plan.length,
      "\(name): \(x.shape), sequences up to \(sequences.longest) for length \(plan.length)")
    self.plan = plan
    self.sequences = sequences
  }

  /// Enters the transform of all sequences, which passes `passes` times over N·E floats, under the name.
  func measure(_ name: String, passes: Int, _ kernel: () -> Void) {
    let columns = plan.panels * laneCount
    Profiler.shared.measure(
      name,
      flops: 4 * sequences.rows * width * columns
        + sequences.count * columns * plan.transform.operations,
      bytes: 4 * passes * sequences.rows * width, kernel)
  }

  /// Calls `body` with every sequence's number and rows, the longest first.
  func forEachSequence(_ body: (Int, Range<Int>, Workspace) -> Void) {
    let order = sequences.longestFirst
    parallel(order.count) { index, workspace in
      body(order[index], sequences.range(order[index]), workspace)
    }
  }

  /// Transforms a sequence.
  ///
  /// - Parameters:
  ///   - rows: its length.
  ///   - y: the result, [rows, E].
  ///   - tile: gives `count` rows from the sequence's row `first` on, valid until the next call, and
  ///     prefetched while the product runs.
  func transform(
    _ rows: Int, into y: UnsafeMutablePointer<Float>, _ workspace: Workspace,
    tile: (_ first: Int, _ count: Int) -> (rows: UnsafePointer<Float>, prefetching: PrefetchCursor)
  ) {
    let room = plan.length * ComplexLanes.count
    let columns = workspace.floats(plan.panels * room)
    for first in stride(from: 0, to: rows, by: tileRows) {
      let count = min(tileRows, rows - first)
      let (x, prefetching) = tile(first, count)
      transformRows(x, count, into: columns + first * ComplexLanes.count, room, prefetching)
    }
    let filled = rows * ComplexLanes.count
    let other = workspace.floats(room)
    for panel in 0..<plan.panels {
      (columns + panel * room + filled).update(repeating: 0, count: room - filled)
      let result = plan.transform(columns + panel * room, other: other, workspace)
      write(result, panel, rows, into: y)
    }
  }

  /// The transform along the rows, a panel `room` floats behind the other.
  private func transformRows(
    _ x: UnsafePointer<Float>, _ rows: Int, into columns: UnsafeMutablePointer<Float>, _ room: Int,
    _ prefetching: PrefetchCursor
  ) {
    plan.matrix.withUnsafeBufferPointer { matrix in
      guard let base = matrix.baseAddress else { return }
      for panel in 0..<plan.panels {
        gemm(
          rows: rows, columns: ComplexLanes.count, inner: width,
          StridedMatrix(base: x, rowStride: width, columnStride: 1),
          Panels(
            rowMajor: base + panel * width * ComplexLanes.count, stride: ComplexLanes.count),
          into: columns + panel * room, stride: ComplexLanes.count, accumulate: false,
          prefetching: panel == 0 ? prefetching : .none)
      }
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
