// SPDX-License-Identifier: Apache-2.0

/// C[m × n] += A[m × k] · B[n × k]ᵀ, for few rows that are long: no matrix is transposed, and no
/// column filled up.
///
/// Four rows of A meet four of B, so that a vector that is read serves four products; k is cut so
/// that these rows stay in the first-level cache.
///
/// - Parameters:
///   - k: a multiple of 16.
///   - cRow: floats from one row of C to the next.
func gemmNT(
  _ a: LongRows, _ b: LongRows, inner k: Int, to c: UnsafeMutablePointer<Float>, row cRow: Int
) {
  assert(WorkCounter.add(2 * ((a.count + 3) & ~3) * ((b.count + 3) & ~3) * k))
  let depth = 512
  for first in stride(from: 0, to: k, by: depth) {
    let part = min(depth, k - first)
    for i in stride(from: 0, to: a.count, by: 4) {
      for j in stride(from: 0, to: b.count, by: 4) {
        let sums = innerProducts4x4(a.four(i, at: first), b.four(j, at: first), part)
        let to = c + i * cRow + j
        for r in 0..<min(4, a.count - i) {
          for s in 0..<min(4, b.count - j) { to[r * cRow + s] += sums[4 * r + s] }
        }
      }
    }
  }
}

/// Rows of floats in memory.
struct LongRows {
  let base: UnsafePointer<Float>
  /// Floats from one row to the next.
  let row: Int
  let count: Int

  /// Four rows from a place on; the last row stands for those that there are not.
  fileprivate func four(_ first: Int, at place: Int) -> FourRows {
    let pointer = { (r: Int) in base + min(first + r, count - 1) * row + place }
    return (pointer(0), pointer(1), pointer(2), pointer(3))
  }
}

private typealias FourRows = (
  UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>
)

/// The inner products of four rows with four others, those of the first row first.
@inline(never)
private func innerProducts4x4(_ a: FourRows, _ b: FourRows, _ k: Int) -> Lanes {
  var c00 = Lanes(), c01 = Lanes(), c02 = Lanes(), c03 = Lanes()
  var c10 = Lanes(), c11 = Lanes(), c12 = Lanes(), c13 = Lanes()
  var c20 = Lanes(), c21 = Lanes(), c22 = Lanes(), c23 = Lanes()
  var c30 = Lanes(), c31 = Lanes(), c32 = Lanes(), c33 = Lanes()
  for at in stride(from: 0, to: k, by: laneCount) {
    let (b0, b1, b2, b3) = (load(b.0 + at), load(b.1 + at), load(b.2 + at), load(b.3 + at))
    var row = load(a.0 + at)
    c00.addProduct(b0, row)
    c01.addProduct(b1, row)
    c02.addProduct(b2, row)
    c03.addProduct(b3, row)
    row = load(a.1 + at)
    c10.addProduct(b0, row)
    c11.addProduct(b1, row)
    c12.addProduct(b2, row)
    c13.addProduct(b3, row)
    row = load(a.2 + at)
    c20.addProduct(b0, row)
    c21.addProduct(b1, row)
    c22.addProduct(b2, row)
    c23.addProduct(b3, row)
    row = load(a.3 + at)
    c30.addProduct(b0, row)
    c31.addProduct(b1, row)
    c32.addProduct(b2, row)
    c33.addProduct(b3, row)
  }
  return Lanes(
    lowHalf: SIMD8(
      lowHalf: horizontalSums(c00, c01, c02, c03), highHalf: horizontalSums(c10, c11, c12, c13)),
    highHalf: SIMD8(
      lowHalf: horizontalSums(c20, c21, c22, c23), highHalf: horizontalSums(c30, c31, c32, c33)))
}
