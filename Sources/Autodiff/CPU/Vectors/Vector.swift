// SPDX-License-Identifier: Apache-2.0

import CShims

/// Sixteen floats: one AVX-512 register, or two of AVX2.
typealias Lanes = SIMD16<Float>

/// The number of floats in ``Lanes``.
let laneCount = 16

/// `count` rounded up to whole vectors.
@inline(__always)
func wholeVectors(_ count: Int) -> Int { (count + laneCount - 1) & ~(laneCount - 1) }

/// The number of each lane.
@inline(__always)
var laneNumbers: Lanes { Lanes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) }

/// Reads sixteen floats from any address.
@inline(__always)
func load(_ source: UnsafePointer<Float>) -> Lanes {
  assert(MemoryBounds.allows(source, count: laneCount), "load: beyond the buffer")
  assert(WorkCounter.add(laneCount))
  return UnsafeRawPointer(source).loadUnaligned(as: Lanes.self)
}

/// Writes sixteen floats to any address.
@inline(__always)
func store(_ value: Lanes, _ target: UnsafeMutablePointer<Float>) {
  assert(MemoryBounds.allows(target, count: laneCount), "store: beyond the buffer")
  assert(WorkCounter.add(laneCount))
  UnsafeMutableRawPointer(target).storeBytes(of: value, as: Lanes.self)
}

/// Prefetches `count` floats; the address may be invalid.
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

/// Sixteen elements of a row of `count` from `first` on; those beyond its end are zero.
@inline(__always)
func loadElements(_ row: UnsafePointer<Float>, _ first: Int, of count: Int) -> Lanes {
  if first + laneCount <= count { return load(row + first) }
  return first < count ? load(row + first, count: count - first) : Lanes()
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
  for j in stride(from: wholeVectors(count), to: padded, by: laneCount) {
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
func lanewiseMax(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: b .> a) }

/// The smaller of each pair of lanes.
@inline(__always)
func lanewiseMin(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: b .< a) }

/// The lanes from the last to the first.
@inline(__always)
func reversed(_ v: Lanes) -> Lanes {
  Lanes(
    v[15], v[14], v[13], v[12], v[11], v[10], v[9], v[8], v[7], v[6], v[5], v[4], v[3], v[2], v[1],
    v[0])
}

/// sum += factor·x.
@inline(__always)
func addScaled(
  _ x: UnsafePointer<Float>, _ factor: Float, _ sum: UnsafeMutablePointer<Float>, count: Int
) {
  for j in 0..<count { sum[j] += factor * x[j] }
}
