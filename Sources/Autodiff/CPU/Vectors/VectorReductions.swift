// SPDX-License-Identifier: Apache-2.0

import CShims

/// The sum of the lanes, added as a tree.
@inline(__always)
func horizontalSum(_ value: Lanes) -> Float {
  let eight = value.lowHalf + value.highHalf
  let four = eight.lowHalf + eight.highHalf
  let two = four.lowHalf + four.highHalf
  return two.x + two.y
}

/// The sum of the lanes of each of four vectors, added as a tree.
@inline(__always)
func horizontalSums(_ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) -> SIMD4<Float> {
  let four = lra_fold(lra_fold(a, c), lra_fold(b, d))
  let two = four.lowHalf + four.highHalf
  return two.lowHalf + two.highHalf
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
  var sum = horizontalSum(lanes)
  while j < count {
    sum += a[j] * b[j]
    j += 1
  }
  return sum
}

/// The largest lane.
@inline(__always)
func horizontalMax(_ value: Lanes) -> Float { lra_largest(value) }

/// The largest of every sixteenth of some floats, of which there is at least one; the last vector is
/// whole in memory.
@inline(__always)
func maximumLanes(_ x: UnsafePointer<Float>, count: Int) -> Lanes {
  var high = load(x)
  var j = laneCount
  while j < count {
    high = lanewiseMax(high, load(x + j))
    j &+= laneCount
  }
  return high
}

/// The largest of some floats; their number is a multiple of 16, not 0.
@inline(__always)
func horizontalMax(_ x: UnsafePointer<Float>, count: Int) -> Float {
  horizontalMax(maximumLanes(x, count: count))
}
