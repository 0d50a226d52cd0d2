// SPDX-License-Identifier: Apache-2.0

import CShims

/// 1 / √x of each lane, within 2⁻²¹ of its size; x is positive.
///
/// Half of x's bits taken from a constant leave an error of 3 %, which each of three steps of
/// y·(1.5 - x·y²/2) squares.
@inline(__always)
func inverseSquareRoot(_ x: SIMD4<Float>) -> SIMD4<Float> {
  let bits = SIMD4<UInt32>(repeating: 0x5F37_59DF) &- unsafeBitCast(x, to: SIMD4<UInt32>.self) &>> 1
  var y = unsafeBitCast(bits, to: SIMD4<Float>.self)
  let half = x * 0.5
  y *= 1.5 - half * y * y
  y *= 1.5 - half * y * y
  y *= 1.5 - half * y * y
  return y
}

/// 2 to the power of each lane, within 2⁻²² of its size for -126...128; 0 below, ∞ above.
///
/// The power of the fraction r in 0..<1 is 1 + r·q(r), where q, of degree 4, has the smallest largest
/// error of those with q(1) = 1; the whole part goes to the exponent.
@inline(__always)
func exp2(_ x: Lanes) -> Lanes {
  let r = lra_fraction(x)
  var p = Lanes(repeating: 1.879_318_7e-3)
  p = Lanes(repeating: 8.990_995e-3).addingProduct(p, r)
  p = Lanes(repeating: 5.581_867_7e-2).addingProduct(p, r)
  p = Lanes(repeating: 2.401_592_7e-1).addingProduct(p, r)
  p = Lanes(repeating: 6.931_517e-1).addingProduct(p, r)
  p = Lanes(repeating: 1).addingProduct(p, r)
  return lra_scale(p, x)
}

/// Replaces scores by 2^(score - maximum), as in a softmax.
///
/// - Parameter count: a multiple of 16, not 0.
/// - Returns: the maximum, and the sum of the powers.
@inline(__always)
func exponentiate(
  _ row: UnsafeMutablePointer<Float>, count: Int
) -> (high: Float, sum: Float) {
  let high = horizontalMax(row, count: count)
  var sums = Lanes()
  for j in stride(from: 0, to: count, by: laneCount) {
    let power = exp2(load(row + j) - high)
    sums += power
    store(power, row + j)
  }
  return (high, horizontalSum(sums))
}

/// The logarithm to base 2 of each lane, within 2⁻²³ of its size or of 1; x is normal and positive.
///
/// The exponent is taken off so that a factor m in √½...√2 is left, of which the logarithm is
/// 2·(t + t³/3 + t⁵/5 + …)/ln 2 with t = (m - 1)/(m + 1). The exponent becomes a float by way
/// of the low bits of 1.5·2²³.
@inline(__always)
func log2(_ x: Lanes) -> Lanes {
  let bits = unsafeBitCast(x, to: SIMD16<Int32>.self)
  let exponent = (bits &- 0x3F35_04F3) &>> 23
  let m = unsafeBitCast(bits &- exponent &<< 23, to: Lanes.self)
  let t = (m - 1) / (m + 1)
  let square = t * t
  var p = Lanes(repeating: 0.320_598_9)
  p = Lanes(repeating: 0.412_198_6).addingProduct(p, square)
  p = Lanes(repeating: 0.577_078).addingProduct(p, square)
  p = Lanes(repeating: 0.961_796_7).addingProduct(p, square)
  p = Lanes(repeating: 2.885_390_1).addingProduct(p, square)
  let magic = Lanes(repeating: 12_582_912)
  let number = exponent &+ unsafeBitCast(magic, to: SIMD16<Int32>.self)
  return (unsafeBitCast(number, to: Lanes.self) - magic).addingProduct(p, t)
}

/// e to the power of each lane.
@inline(__always)
func exp(_ x: Lanes) -> Lanes { exp2(x * 1.442_695_04) }

/// 1 / (1 + e^-x) of each lane.
@inline(__always)
func sigmoid(_ x: Lanes) -> Lanes { sigmoid(binary: x * -1.442_695_04) }

/// 1 / (1 + 2^x) of each lane, which is 0 and 1 to float precision where 2^x is at its bounds.
@inline(__always)
func sigmoid(binary x: Lanes) -> Lanes {
  lra_reciprocal(1 + exp2(lanewiseMin(x, Lanes(repeating: 126))))
}
