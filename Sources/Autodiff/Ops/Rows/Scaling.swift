// SPDX-License-Identifier: Apache-2.0

import Foundation

/// y[r, c] = e^(g[r mod S])·x[r, c]: rows scaled by the exponentials of a vector, which repeats.
///
/// - Parameters:
///   - x: [R, C], R a multiple of S.
///   - logScales: g, [S].
/// - Returns: [R, C].
/// - Complexity: O(R·C). Meant for weights.
///
/// Saves: x and the scales.
package func scaledRows(_ x: Tensor, logScales: Tensor) -> Tensor {
  let (rows, columns, period) = (x.rows, x.columns, logScales.count)
  precondition(
    period > 0 && rows % period == 0, "scaledRows: \(logScales.shape) scales for \(x.shape)")
  let scales = (0..<period).map { Foundation.exp(logScales.pointer[$0]) }
  let y = Tensor(shape: x.shape, storage: Storage(count: x.count))
  profileRows("scaled rows", x, passes: 2) {
    for r in 0..<rows {
      let (from, to, scale) = (x.pointer + r * columns, y.pointer + r * columns, scales[r % period])
      for c in 0..<columns { to[c] = from[c] * scale }
    }
  }
  return y.recorded("scaled rows", from: x, logScales) { dy in
    let dx = x.node?.target()
    var dScales = [Double](repeating: 0, count: period)
    profileRows("scaled rows backward", x, passes: 3) {
      for r in 0..<rows {
        let (from, d, scale) = (
          x.pointer + r * columns, dy.pointer + r * columns, scales[r % period]
        )
        for c in 0..<columns {
          dScales[r % period] += Double(from[c] * d[c] * scale)
          dx?.store(d[c] * scale, at: r * columns + c)
        }
      }
    }
    if let target = logScales.node?.target() {
      for (i, value) in dScales.enumerated() { target.store(Float(value), at: i) }
    }
  }
}

/// y[n, c] = d[c]·x[n, c].
///
/// - Parameters:
///   - x: [N, C].
///   - scales: d, [C].
/// - Returns: [N, C].
/// - Complexity: O(N·C).
///
/// Saves: x.
package func scaledColumns(_ x: Tensor, scales: Tensor) -> Tensor {
  let width = x.columns
  precondition(scales.count == width, "scaledColumns: \(scales.shape) scales for \(x.shape)")
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  let d = scales.pointer
  profileRows("scaled columns", x, passes: 2) {
    parallel(x.rows, by: tileRows) { rows, _ in
      for row in rows {
        let (from, to) = (x.pointer + row * width, y.pointer + row * width)
        for c in 0..<width { to[c] = from[c] * d[c] }
      }
    }
  }
  return y.recorded("scaled columns", from: x, scales) { dy in
    profileRows("scaled columns backward", x, passes: 3) {
      scaledColumnsBackward(x, scales, dy)
    }
    x.node?.accept(dy, count: x.count)
  }
}

/// Replaces dy by dx and stores or adds the gradient of the scales.
private func scaledColumnsBackward(_ x: Tensor, _ scales: Tensor, _ dy: Storage) {
  let (width, d) = (x.columns, scales.pointer)
  let partial = DeterministicReduction(rows: x.rows, sum: width).sums(width) { rows, sums, _ in
    for row in rows {
      let (from, to) = (x.pointer + row * width, dy.pointer + row * width)
      for c in 0..<width {
        sums[c] += from[c] * to[c]
        to[c] *= d[c]
      }
    }
  }
  if let target = scales.node?.target() { partial.reduce(0, width, into: target) }
}
