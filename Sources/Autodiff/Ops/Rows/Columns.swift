// SPDX-License-Identifier: Apache-2.0

/// The columns of several matrices of as many rows, one matrix beside the other.
///
/// ``stacked(_:)`` puts them one above the other.
///
/// - Parameter parts: [N, Cᵢ] each.
/// - Returns: [N, ΣCᵢ].
/// - Complexity: O(N·ΣCᵢ).
///
/// Saves: nothing.
package func joinedColumns(_ parts: [Tensor]) -> Tensor {
  guard let first = parts.first else { preconditionFailure("joinedColumns: nothing to join") }
  let rows = first.rows
  precondition(
    parts.allSatisfy { $0.rows == rows }, "joinedColumns: rows of \(parts.map(\.shape)) differ")
  let width = parts.reduce(0) { $0 + $1.columns }
  let y = Tensor(shape: [rows, width], storage: Storage(count: first.rowCapacity * width))
  let places = parts.indices.map { part in parts[..<part].reduce(0) { $0 + $1.columns } }
  profileCopy("joined columns", y.count) {
    for (part, place) in zip(parts, places) {
      copyColumns(
        part.columns, of: part.pointer, part.columns, rows: rows,
        into: GradientTarget(pointer: y.pointer + place, accumulate: false), width)
    }
  }
  return y.recorded("joined columns", from: parts) { dy in
    profileCopy("joined columns backward", y.count) {
      for (part, place) in zip(parts, places) {
        guard let target = part.node?.target() else { continue }
        copyColumns(
          part.columns, of: dy.pointer + place, width, rows: rows, into: target, part.columns)
      }
    }
  }
}

/// Some neighbouring columns of a matrix.
///
/// - Parameters:
///   - x: [N, C].
///   - range: of 0..<C.
/// - Returns: [N, range.count].
/// - Complexity: O(N·range.count), the pullback O(N·C).
///
/// Saves: nothing.
package func columnSlice(_ x: Tensor, _ range: Range<Int>) -> Tensor {
  let (rows, width) = (x.rows, x.columns)
  precondition(
    0 <= range.lowerBound && range.upperBound <= width, "columnSlice: \(range) of \(x.shape)")
  let y = Tensor(
    shape: [rows, range.count], storage: Storage(count: x.rowCapacity * range.count))
  profileCopy("column slice", y.count) {
    copyColumns(
      range.count, of: x.pointer + range.lowerBound, width, rows: rows,
      into: GradientTarget(pointer: y.pointer, accumulate: false), range.count)
  }
  return y.recorded("column slice", from: x) { dy in
    guard let node = x.node else { return }
    profileCopy("column slice backward", y.count) {
      let target = node.target(columns: range, of: width)
      copyColumns(
        range.count, of: dy.pointer, range.count, rows: rows,
        into: GradientTarget(
          pointer: target.pointer + range.lowerBound, accumulate: target.accumulate), width)
    }
  }
}

/// Stores or adds some columns of a matrix.
///
/// - Parameters:
///   - count: the columns.
///   - stride: floats from one row of the source to the next.
///   - targetStride: the same of the target.
private func copyColumns(
  _ count: Int, of source: UnsafePointer<Float>, _ stride: Int, rows: Int,
  into target: GradientTarget, _ targetStride: Int
) {
  parallel(rows, by: tileRows) { rows, _ in
    for n in rows {
      let (from, to) = (source + n * stride, target.pointer + n * targetStride)
      if target.accumulate {
        for c in 0..<count { to[c] += from[c] }
      } else {
        to.update(from: from, count: count)
      }
    }
  }
}
