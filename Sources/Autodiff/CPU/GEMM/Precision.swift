// SPDX-License-Identifier: Apache-2.0

/// The element type of the operands of products; their sums are fp32 always.
package enum Precision: String, CaseIterable, Sendable {
  /// IEEE single precision.
  case fp32
  /// bfloat16: the sign, the exponent and seven of 23 bits of a float, to which operands are rounded as
  /// they are packed.
  case bf16
  /// Signed bytes with a scale for each row of the left-hand side and each output of a weight, of weights'
  /// products with rows alone: their sums are integers until they are scaled. See ``PackedBytes``.
  ///
  /// Gradients pass straight through the rounding, in fp32: that of a weight is of the rows as they were
  /// rounded, that of the rows of the weight as it is, which ``byteRounded(_:)`` has rounded already.
  case int8

  /// Steps of a register tile for `count` elements along the inner dimension: bfloat16 go in pairs and bytes
  /// in fours, of which each takes the room of a float.
  @inline(__always)
  func steps(_ count: Int) -> Int {
    switch self {
    case .fp32: count
    case .bf16: (count + 1) / 2
    case .int8: (count + 3) / 4
    }
  }
}

extension Precision {
  /// The precision of the products of a backward pass.
  var ofGradients: Precision { self == .int8 ? .fp32 : self }

  /// a + b of sums of products.
  @inline(__always)
  func sum(_ a: Lanes, _ b: Lanes) -> Lanes {
    self == .int8 ? QuadFormat<PortableQuads>.sum(a, b) : a + b
  }

  /// Copies a row-major matrix as steps along its rows' order: pairs are of neighbouring rows.
  ///
  /// - Parameters:
  ///   - padded: columns of the copy; those that the matrix lacks are zero.
  ///   - targetRow: floats from one step of the copy to the next.
  func copySteps(
    _ source: UnsafePointer<Float>, row: Int, rows: Int, columns: Int, padded: Int,
    into target: UnsafeMutablePointer<Float>, row targetRow: Int
  ) {
    switch self {
    case .fp32:
      acrossRows(FloatFormat.self, source, row, rows, columns, padded, target, targetRow)
    case .bf16 where NativePairs.areAvailable:
      acrossRows(
        PairFormat<NativePairs>.self, source, row, rows, columns, padded, target, targetRow)
    case .bf16:
      acrossRows(
        PairFormat<PortablePairs>.self, source, row, rows, columns, padded, target, targetRow)
    case .int8: preconditionFailure("int8: there are no products with the transpose of a weight")
    }
  }

  /// Copies at most sixteen rows, times `scale`, as steps along their columns, side by side; rows that
  /// there are not become zero.
  ///
  /// - Parameters: as for ``copySteps(_:row:rows:columns:padded:into:row:)``.
  func copyStepsTransposed(
    _ source: UnsafePointer<Float>, row: Int, rows: Int, columns: Int, scale: Float,
    into target: UnsafeMutablePointer<Float>, row targetRow: Int
  ) {
    copyStepsTransposed(columns: columns, into: target, row: targetRow) { r, first in
      r < rows ? loadElements(source + r * row, first, of: columns) * scale : Lanes()
    }
  }

  /// As ``copyStepsTransposed(_:row:rows:columns:scale:into:row:)`` with sixteen rows that `elements`
  /// reads, sixteen elements of a row from one on, of which those beyond its end are zero.
  @inline(__always)
  func copyStepsTransposed(
    columns: Int, into target: UnsafeMutablePointer<Float>, row targetRow: Int,
    _ elements: (_ row: Int, _ first: Int) -> Lanes
  ) {
    switch self {
    case .fp32:
      copyTransposed(FloatFormat.self, columns: columns, into: target, row: targetRow, elements)
    case .bf16 where NativePairs.areAvailable:
      copyTransposed(
        PairFormat<NativePairs>.self, columns: columns, into: target, row: targetRow, elements)
    case .bf16:
      copyTransposed(
        PairFormat<PortablePairs>.self, columns: columns, into: target, row: targetRow, elements)
    case .int8:
      copyTransposed(
        QuadFormat<PortableQuads>.self, columns: columns, into: target, row: targetRow, elements)
    }
  }

  /// Copies rows as steps along each; the last vector is whole in the copy.
  func copyRows(
    _ source: UnsafePointer<Float>, row: Int, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Float>, row targetRow: Int
  ) {
    switch self {
    case .fp32: alongRows(FloatFormat.self, source, row, rows, columns, target, targetRow)
    case .bf16 where NativePairs.areAvailable:
      alongRows(PairFormat<NativePairs>.self, source, row, rows, columns, target, targetRow)
    case .bf16:
      alongRows(PairFormat<PortablePairs>.self, source, row, rows, columns, target, targetRow)
    case .int8: preconditionFailure("int8: rows of bytes have scales, see StridedMatrix.byteRows")
    }
  }
}

private func acrossRows<F: OperandFormat>(
  _: F.Type, _ source: UnsafePointer<Float>, _ row: Int, _ rows: Int, _ columns: Int, _ padded: Int,
  _ target: UnsafeMutablePointer<Float>, _ targetRow: Int
) {
  for (step, first) in stride(from: 0, to: rows, by: F.depth).enumerated() {
    let (from, to) = (source + first * row, target + step * targetRow)
    forLanes(0..<columns) { j, count in
      let lanes = F.acrossRows { r in
        first + r < rows ? load(from + r * row + j, count: count) : Lanes()
      }
      store(lanes, to + j)
    }
    for j in stride(from: wholeVectors(columns), to: padded, by: laneCount) {
      store(Lanes(), to + j)
    }
  }
}

private func alongRows<F: OperandFormat>(
  _: F.Type, _ source: UnsafePointer<Float>, _ row: Int, _ rows: Int, _ columns: Int,
  _ target: UnsafeMutablePointer<Float>, _ targetRow: Int
) {
  let depth = F.depth * laneCount
  let whole = columns / depth * depth
  for r in 0..<rows {
    let (from, to) = (source + r * row, target + r * targetRow)
    for first in stride(from: 0, to: whole, by: depth) {
      store(F.alongRow { load(from + first + $0) }, to + first / F.depth)
    }
    if whole < columns {
      store(F.alongRow { loadElements(from, $0 + whole, of: columns) }, to + whole / F.depth)
    }
  }
}

/// Copies sixteen rows of so many columns as steps along their columns, side by side.
///
/// - Parameter elements: sixteen elements of a row from one on; those beyond its end are zero.
@inline(__always)
private func copyTransposed<F: OperandFormat>(
  _: F.Type, columns: Int, into target: UnsafeMutablePointer<Float>, row targetRow: Int,
  _ elements: (_ row: Int, _ first: Int) -> Lanes
) {
  let steps = (columns + F.depth - 1) / F.depth
  withTransposeBlock { block in
    for first in stride(from: 0, to: steps, by: laneCount) {
      for j in 0..<laneCount {
        block[j] = F.alongRow { elements(j, first * F.depth + $0) }
      }
      transpose(block)
      for i in 0..<min(laneCount, steps - first) {
        store(block[i], target + (first + i) * targetRow)
      }
    }
  }
}
