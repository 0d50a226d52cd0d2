// SPDX-License-Identifier: Apache-2.0

import CShims

/// C[rows × 16·vectors] = or += A[rows × k] · B[k × 16·vectors], all sums in registers.
///
/// Each step of k loads `vectors` vectors of B and broadcasts a scalar of A a row. The shape is the one
/// that fills the registers: sixteen sums of sixteen floats of the 32 that AVX-512 has, six of AVX2's,
/// where each takes two of its sixteen registers. Every sum adds its products in the order of k,
/// whatever the shape.
struct RegisterTile<let rows: Int, let vectors: Int, Format: OperandFormat> {
  private typealias Row = InlineArray<vectors, Lanes>

  @inline(never)
  static func multiply(
    _ k: Int, _ a: StridedMatrix, _ bBase: UnsafePointer<Float>, _ bStep: Int,
    _ c: UnsafeMutablePointer<Float>, _ cRow: Int, accumulate: Bool
  ) {
    var sums = InlineArray<rows, Row>(repeating: Row(repeating: Lanes()))
    var (p, b) = (a.base, bBase)
    for _ in 0..<k {
      var right = Row(repeating: Lanes())
      for v in 0..<vectors { right[unchecked: v] = load(b + v &* laneCount) }
      for r in 0..<rows {
        let left = Lanes(repeating: p[r &* a.rowStride])
        for v in 0..<vectors {
          Format.addProduct(right[unchecked: v], left, to: &sums[unchecked: r][unchecked: v])
        }
      }
      p += a.columnStride
      b += bStep
    }
    for r in 0..<rows {
      for v in 0..<vectors {
        let to = c + (r &* cRow &+ v &* laneCount)
        let sum = sums[unchecked: r][unchecked: v]
        store(accumulate ? Format.sum(load(to), sum) : sum, to)
      }
    }
  }
}

/// The register tiles of this build, by their number of rows.
enum RegisterTiles {
  /// Rows of the largest.
  @inline(__always)
  static var rows: Int { lra_vector_bits() == 512 ? 8 : 6 }
  /// Columns of all.
  @inline(__always)
  static var columns: Int { lra_vector_bits() == 512 ? 2 * laneCount : laneCount }

  /// How many whole tiles there are in some rows.
  static func count(_ rows: Int) -> Int { rows / self.rows }

  /// Rows of the next tile where `left` are left: eight are four and four rather than six and two,
  /// since few sums wait for each other.
  static func rows(of left: Int) -> Int {
    if left == rows || (left > rows && left != 8) { return rows }
    return left >= 4 ? 4 : left >= 2 ? 2 : 1
  }

  /// One tile of as many rows as ``rows(of:)`` gives.
  ///
  /// - Parameter k: steps of the inner dimension, ``Precision/steps(_:)``.
  @inline(__always)
  static func multiply(
    _ precision: Precision, rows: Int, _ k: Int, _ a: StridedMatrix, _ b: UnsafePointer<Float>,
    _ bStep: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int, accumulate: Bool
  ) {
    switch precision {
    case .fp32: multiply(FloatFormat.self, rows, k, a, b, bStep, c, cRow, accumulate)
    case .bf16 where NativePairs.areAvailable:
      multiply(PairFormat<NativePairs>.self, rows, k, a, b, bStep, c, cRow, accumulate)
    case .bf16: multiply(PairFormat<PortablePairs>.self, rows, k, a, b, bStep, c, cRow, accumulate)
    case .int8 where NativeQuads.areAvailable:
      multiply(QuadFormat<NativeQuads>.self, rows, k, a, b, bStep, c, cRow, accumulate)
    case .int8: multiply(QuadFormat<PortableQuads>.self, rows, k, a, b, bStep, c, cRow, accumulate)
    }
  }

  private static func multiply<F: OperandFormat>(
    _: F.Type, _ rows: Int, _ k: Int, _ a: StridedMatrix, _ b: UnsafePointer<Float>, _ bStep: Int,
    _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ accumulate: Bool
  ) {
    if lra_vector_bits() == 512 {
      switch rows {
      case 8: RegisterTile<8, 2, F>.multiply(k, a, b, bStep, c, cRow, accumulate: accumulate)
      case 4: RegisterTile<4, 2, F>.multiply(k, a, b, bStep, c, cRow, accumulate: accumulate)
      case 2: RegisterTile<2, 2, F>.multiply(k, a, b, bStep, c, cRow, accumulate: accumulate)
      default: RegisterTile<1, 2, F>.multiply(k, a, b, bStep, c, cRow, accumulate: accumulate)
      }
    } else {
      switch rows {
      case 6: RegisterTile<6, 1, F>.multiply(k, a, b, bStep, c, cRow, accumulate: accumulate)
      case 4: RegisterTile<4, 1, F>.multiply(k, a, b, bStep, c, cRow, accumulate: accumulate)
      case 2: RegisterTile<2, 1, F>.multiply(k, a, b, bStep, c, cRow, accumulate: accumulate)
      default: RegisterTile<1, 1, F>.multiply(k, a, b, bStep, c, cRow, accumulate: accumulate)
      }
    }
  }
}
