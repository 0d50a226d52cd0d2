// SPDX-License-Identifier: Apache-2.0

import CShims

/// How a row of numbers becomes signed bytes: x ≈ scale·p, p = rint(x/scale) between −127 and 127.
///
/// ```
/// scale = max |x| / 127
/// ```
/// −128 is not used, so that bounds hold for both signs. A row of zeros, or of numbers that are next to
/// nothing, is 0 with scale 1. A row with NaN or an infinity has the scale NaN.
struct ByteScale {
  let scale: Float
  /// What numbers are multiplied by before they are rounded.
  let inverse: Float

  @inline(__always)
  init(_ row: UnsafePointer<Float>, count: Int) {
    var (high, poison) = (Lanes(), Lanes())
    forLanes(0..<count) { j, width in
      let x = load(row + j, count: width)
      high = lanewiseMax(high, lanewiseMax(x, -x))
      poison += x * 0
    }
    let largest = horizontalMax(high)
    let isNothing = largest < 0x1p-100
    scale = (isNothing ? 1 : largest / 127) + horizontalSum(poison)
    inverse = isNothing ? 0 : 127 / largest
  }
}

/// The numbers that the bytes of a row-major matrix stand for, scale·p, in the workspace.
///
/// - Parameter row: floats from one row to the next.
func byteRoundedRows(
  _ base: UnsafePointer<Float>, row: Int, rows: Int, columns: Int, _ workspace: Workspace
) -> UnsafeMutablePointer<Float> {
  let copy = workspace.floats(rows * columns)
  for r in 0..<rows {
    let (from, to) = (base + r * row, copy + r * columns)
    let scale = ByteScale(from, count: columns)
    for j in 0..<columns {
      to[j] = (from[j] * scale.inverse).rounded(.toNearestOrEven) * scale.scale
    }
  }
  return copy
}

extension StridedMatrix {
  /// A row-major matrix as unsigned bytes, 128 more than the signed ones, with a scale for each row.
  static func byteRows(
    _ base: UnsafePointer<Float>, row: Int, rows: Int, columns: Int, _ workspace: Workspace
  ) -> StridedMatrix {
    let stride = wholeVectors(Precision.int8.steps(columns))
    let copy = workspace.floats(rows * stride)
    let scales = workspace.floats(rows)
    for r in 0..<rows {
      let from = base + r * row
      let scale = ByteScale(from, count: columns)
      scales[r] = scale.scale
      for first in Swift.stride(from: 0, to: columns, by: 4 * laneCount) {
        let bytes = QuadFormat<PortableQuads>.alongRow {
          loadElements(from, first + $0, of: columns) * scale.inverse
        }
        store(lra_shifted_bytes(bytes), copy + r * stride + first / 4)
      }
    }
    return StridedMatrix(
      base: copy, rowStride: stride, columnStride: 1, precision: .int8,
      scales: UnsafePointer(scales))
  }
}
