// SPDX-License-Identifier: Apache-2.0

/// C[8 × 32] = or += A[8 × k] · B[k × 32], all sums in registers.
///
/// Sixteen accumulators of sixteen floats; each step of k loads two vectors of B and broadcasts
/// eight scalars of A, so the multiply-add units are the limit.
@inline(never)
func gemmKernel8x32(
  _ k: Int, _ a: StridedMatrix, _ bBase: UnsafePointer<Float>, _ bStep: Int,
  _ c: UnsafeMutablePointer<Float>, _ cRow: Int, accumulate: Bool
) {
  var c00 = Lanes(), c01 = Lanes(), c10 = Lanes(), c11 = Lanes()
  var c20 = Lanes(), c21 = Lanes(), c30 = Lanes(), c31 = Lanes()
  var c40 = Lanes(), c41 = Lanes(), c50 = Lanes(), c51 = Lanes()
  var c60 = Lanes(), c61 = Lanes(), c70 = Lanes(), c71 = Lanes()
  let row = a.rowStride
  var p = a.base
  var b = bBase
  for _ in 0..<k {
    let b0 = load(b)
    let b1 = load(b + 16)
    var s = Lanes(repeating: p[0])
    c00.addProduct(b0, s)
    c01.addProduct(b1, s)
    s = Lanes(repeating: p[row])
    c10.addProduct(b0, s)
    c11.addProduct(b1, s)
    s = Lanes(repeating: p[2 &* row])
    c20.addProduct(b0, s)
    c21.addProduct(b1, s)
    s = Lanes(repeating: p[3 &* row])
    c30.addProduct(b0, s)
    c31.addProduct(b1, s)
    s = Lanes(repeating: p[4 &* row])
    c40.addProduct(b0, s)
    c41.addProduct(b1, s)
    s = Lanes(repeating: p[5 &* row])
    c50.addProduct(b0, s)
    c51.addProduct(b1, s)
    s = Lanes(repeating: p[6 &* row])
    c60.addProduct(b0, s)
    c61.addProduct(b1, s)
    s = Lanes(repeating: p[7 &* row])
    c70.addProduct(b0, s)
    c71.addProduct(b1, s)
    p += a.columnStride
    b += bStep
  }
  writeRow(c00, c01, c, accumulate)
  writeRow(c10, c11, c + cRow, accumulate)
  writeRow(c20, c21, c + 2 &* cRow, accumulate)
  writeRow(c30, c31, c + 3 &* cRow, accumulate)
  writeRow(c40, c41, c + 4 &* cRow, accumulate)
  writeRow(c50, c51, c + 5 &* cRow, accumulate)
  writeRow(c60, c61, c + 6 &* cRow, accumulate)
  writeRow(c70, c71, c + 7 &* cRow, accumulate)
}

/// C[1 × 32] = or += A[1 × k] · B[k × 32], for the rows that do not fill a block of eight.
@inline(never)
func gemmKernel1x32(
  _ k: Int, _ a: StridedMatrix, _ bBase: UnsafePointer<Float>, _ bStep: Int,
  _ c: UnsafeMutablePointer<Float>, accumulate: Bool
) {
  var c0 = Lanes()
  var c1 = Lanes()
  var p = a.base
  var b = bBase
  for _ in 0..<k {
    let s = Lanes(repeating: p[0])
    c0.addProduct(load(b), s)
    c1.addProduct(load(b + 16), s)
    p += a.columnStride
    b += bStep
  }
  writeRow(c0, c1, c, accumulate)
}

@inline(__always)
private func writeRow(
  _ low: Lanes, _ high: Lanes, _ c: UnsafeMutablePointer<Float>, _ accumulate: Bool
) {
  if accumulate {
    store(load(c) + low, c)
    store(load(c + 16) + high, c + 16)
  } else {
    store(low, c)
    store(high, c + 16)
  }
}
