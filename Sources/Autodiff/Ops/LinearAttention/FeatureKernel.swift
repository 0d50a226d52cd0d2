// SPDX-License-Identifier: Apache-2.0

/// φ of linear attention on the CPU, for a tile of rows of one head at a time.
///
/// Features are [rows × Mp] where Mp is M rounded up to whole panels; columns beyond M are zero. So
/// are rows [rows × P] beyond their D columns.
protocol FeatureKernel {
  /// M.
  var count: Int { get }
  /// Products of [rows × D] and [D × M] behind the features of queries and keys, and behind these
  /// features and their pullbacks together.
  var products: (forward: Int, backward: Int) { get }
  /// Set where keys need their ``HeadRows/shift``.
  var keyExponents: (any KeyExponents)? { get }

  /// φ(x).
  func write(_ rows: HeadRows, into features: UnsafeMutablePointer<Float>)
  /// dx from dφ, whose matrix it may overwrite.
  func pullBack(
    _ rows: HeadRows, features: UnsafePointer<Float>, _ gradient: FeatureGradient,
    into dx: UnsafeMutablePointer<Float>)
}

extension FeatureKernel {
  var keyExponents: (any KeyExponents)? { nil }
}

/// Features of keys that are 2^(exponent - shift) + ε, in two steps, since the shift is the largest
/// of a whole sequence.
protocol KeyExponents {
  var epsilon: Float { get }

  /// Exponents, less what a row has in common, [rows × Mp].
  ///
  /// - Returns: the shift that these rows alone would need.
  func writeExponents(
    _ rows: HeadRows, into exponents: UnsafeMutablePointer<Float>
  ) -> Float
  /// Turns these into features less ε, lowered by the rows' shift; columns beyond M become zero.
  func raise(_ rows: HeadRows, _ exponents: UnsafeMutablePointer<Float>)
}

/// A tile of rows of one head, copied out of the packed tensor.
struct HeadRows {
  /// x, [rows × P].
  let x: UnsafePointer<Float>
  /// Where they lie in the batch.
  let rows: Range<Int>
  let head: Int
  /// What exponents are lowered by: one number for all keys of a sequence, nil for queries, each of
  /// which has its own.
  var shift: Float?
}

/// dφ of a tile: a matrix plus factors·sumᵀ.
struct FeatureGradient {
  /// [rows × Mp].
  let matrix: UnsafeMutablePointer<Float>
  /// [rows].
  let factors: UnsafePointer<Float>
  /// [Mp].
  let sum: UnsafePointer<Float>

  /// Sixteen elements of one row.
  @inline(__always)
  func lanes(_ factor: Lanes, _ row: UnsafePointer<Float>, _ column: Int) -> Lanes {
    load(row + column).addingProduct(factor, load(sum + column))
  }
}

/// Sets the columns of each row from `count` to `width`, which are whole vectors, to `value`.
func fillTail(
  _ x: UnsafeMutablePointer<Float>, _ rows: Int, from count: Int, to width: Int,
  with value: Float = 0
) {
  if count == width { return }
  for r in 0..<rows {
    let row = x + r * width
    fillVector(row, from: count, with: value)
    for j in stride(from: (count + 15) & ~15, to: width, by: laneCount) {
      store(Lanes(repeating: value), row + j)
    }
  }
}
