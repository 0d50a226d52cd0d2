// SPDX-License-Identifier: Apache-2.0

/// How operands of products lie in a step of a register tile: one element each, a pair, or four bytes.
protocol OperandFormat {
  /// Elements along the inner dimension in a step.
  static var depth: Int { get }
  /// One step of sixteen columns.
  ///
  /// - Parameter row: these columns of the step's first row, 0, or of its second, 1.
  static func acrossRows(_ row: (Int) -> Lanes) -> Lanes
  /// Sixteen steps along a row.
  ///
  /// - Parameter vector: the row's elements from 0, or from 16, 32 or 48 on.
  static func alongRow(_ vector: (Int) -> Lanes) -> Lanes
  /// Adds the products of a step to sums.
  ///
  /// - Parameters:
  ///   - a: of the packed matrix.
  ///   - b: of the rows that pass over it.
  static func addProduct(_ a: Lanes, _ b: Lanes, to sum: inout Lanes)
  /// a + b of such sums.
  static func sum(_ a: Lanes, _ b: Lanes) -> Lanes
}

extension OperandFormat {
  /// Sums are floats, unless a format says otherwise.
  @inline(__always)
  static func sum(_ a: Lanes, _ b: Lanes) -> Lanes { a + b }
}

/// Floats, one a step.
enum FloatFormat: OperandFormat {
  static var depth: Int { 1 }

  @inline(__always)
  static func acrossRows(_ row: (Int) -> Lanes) -> Lanes { row(0) }

  @inline(__always)
  static func alongRow(_ vector: (Int) -> Lanes) -> Lanes { vector(0) }

  @inline(__always)
  static func addProduct(_ a: Lanes, _ b: Lanes, to sum: inout Lanes) { sum.addProduct(a, b) }
}

/// Pairs of bfloat16, rounded as they are packed.
enum PairFormat<Pairs: BFloat16Pairs>: OperandFormat {
  static var depth: Int { 2 }

  @inline(__always)
  static func acrossRows(_ row: (Int) -> Lanes) -> Lanes { Pairs.pairs(row(0), row(1)) }

  @inline(__always)
  static func alongRow(_ vector: (Int) -> Lanes) -> Lanes {
    Pairs.neighbours(vector(0), vector(laneCount))
  }

  @inline(__always)
  static func addProduct(_ a: Lanes, _ b: Lanes, to sum: inout Lanes) {
    Pairs.addProduct(a, b, to: &sum)
  }
}
