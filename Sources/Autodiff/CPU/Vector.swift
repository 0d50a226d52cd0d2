import CShims

/// Sixteen floats: one AVX-512 register, or two of AVX2.
typealias Lanes = SIMD16<Float>

/// The number of floats in ``Lanes``.
let laneCount = 16

/// The number of each lane.
@inline(__always)
var laneNumbers: Lanes { Lanes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) }

/// Reads sixteen floats from any address.
@inline(__always)
func load(_ source: UnsafePointer<Float>) -> Lanes {
  UnsafeRawPointer(source).loadUnaligned(as: Lanes.self)
}

/// Writes sixteen floats to any address.
@inline(__always)
func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(target).storeBytes(of: value, as: Lanes.self)
}

/// Asks for the cache lines of some floats, which need not exist.
@inline(__always)
func prefetch(_ place: UnsafePointer<Float>, count: Int) {
  for j in stride(from: 0, to: count, by: laneCount) { lra_prefetch(place + j) }
}

/// Reads `count` ≤ 16 floats; the other lanes are `fill`.
@inline(__always)
func load(_ source: UnsafePointer<Float>, count: Int, fill: Float = 0) -> Lanes {
  if count == laneCount { return load(source) }
  var value = Lanes(repeating: fill)
  for lane in 0..<count { value[lane] = source[lane] }
  return value
}

/// Writes the first `count` ≤ 16 lanes.
@inline(__always)
func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>, count: Int) {
  if count == laneCount { return store(value, target) }
  for lane in 0..<count { target[lane] = value[lane] }
}

/// Calls `body(first, width)` for the vectors of a range: sixteen wide, the last one what is left.
///
/// The width of all but the last is a constant to the compiler, so loads and stores of `width` lanes
/// cost nothing extra.
@inline(__always)
func forLanes(_ range: Range<Int>, _ body: (Int, Int) -> Void) {
  var i = range.lowerBound
  while i + laneCount <= range.upperBound {
    body(i, laneCount)
    i += laneCount
  }
  if i < range.upperBound { body(i, range.upperBound - i) }
}

/// Copies some floats, times `scale`, and fills them up with zeros to `padded`: a multiple
/// of 16, or `count` where nothing is to be filled.
@inline(__always)
func copyRow(
  _ source: UnsafePointer<Float>, count: Int, padded: Int, scale: Float = 1,
  into target: UnsafeMutablePointer<Float>
) {
  forLanes(0..<count) { j, width in store(load(source + j, count: width) * scale, target + j) }
  for j in stride(from: (count + 15) & ~15, to: padded, by: laneCount) {
    store(Lanes(), target + j)
  }
}

/// target = factor·source, and nothing beyond `count` floats.
@inline(__always)
func scaleRow(
  _ source: UnsafePointer<Float>, count: Int, by factor: Float,
  into target: UnsafeMutablePointer<Float>
) {
  forLanes(0..<count) { j, width in
    store(load(source + j, count: width) * factor, target + j, count: width)
  }
}

/// Replaces what follows `count` floats in their last vector, which is whole in memory.
@inline(__always)
func fillVector(_ row: UnsafeMutablePointer<Float>, from count: Int, with value: Float) {
  let rest = count % laneCount
  if rest == 0 { return }
  let last = row + (count - rest)
  store(load(last).replacing(with: value, where: laneNumbers .>= Float(rest)), last)
}

/// The larger of each pair of lanes.
@inline(__always)
func larger(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: b .> a) }

/// The smaller of each pair of lanes.
@inline(__always)
func smaller(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: b .< a) }

/// The lanes from the last to the first.
@inline(__always)
func reversed(_ v: Lanes) -> Lanes {
  Lanes(
    v[15], v[14], v[13], v[12], v[11], v[10], v[9], v[8], v[7], v[6], v[5], v[4], v[3], v[2], v[1],
    v[0])
}

/// The sum of the lanes, added as a tree.
@inline(__always)
func total(_ value: Lanes) -> Float {
  let eight = value.lowHalf + value.highHalf
  let four = eight.lowHalf + eight.highHalf
  let two = four.lowHalf + four.highHalf
  return two.x + two.y
}

/// The sum of the lanes of each of four vectors, added as a tree.
@inline(__always)
func totals(_ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) -> SIMD4<Float> {
  let four = lra_fold(lra_fold(a, c), lra_fold(b, d))
  let two = four.lowHalf + four.highHalf
  return two.lowHalf + two.highHalf
}

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

/// Σ a·b.
@inline(__always)
func innerProduct(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int
) -> Float {
  var lanes = Lanes()
  var j = 0
  while j + laneCount <= count {
    lanes.addProduct(load(a + j), load(b + j))
    j += laneCount
  }
  var sum = total(lanes)
  while j < count {
    sum += a[j] * b[j]
    j += 1
  }
  return sum
}

/// The largest lane.
@inline(__always)
func largest(_ value: Lanes) -> Float { lra_largest(value) }

/// The largest of every sixteenth of some floats, of which there is at least one; the last vector is
/// whole in memory.
@inline(__always)
func largestLanes(_ x: UnsafePointer<Float>, count: Int) -> Lanes {
  var high = load(x)
  var j = laneCount
  while j < count {
    high = larger(high, load(x + j))
    j &+= laneCount
  }
  return high
}

/// The largest of some floats; their number is a multiple of 16, not 0.
@inline(__always)
func largest(_ x: UnsafePointer<Float>, count: Int) -> Float {
  largest(largestLanes(x, count: count))
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
  let high = largest(row, count: count)
  var sums = Lanes()
  for j in stride(from: 0, to: count, by: laneCount) {
    let power = exp2(load(row + j) - high)
    sums += power
    store(power, row + j)
  }
  return (high, total(sums))
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
  lra_reciprocal(1 + exp2(smaller(x, Lanes(repeating: 126))))
}
