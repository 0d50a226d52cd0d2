// SPDX-License-Identifier: Apache-2.0

/// A place for a gradient: the first contribution is stored, later ones are added.
struct GradientTarget {
  let pointer: UnsafeMutablePointer<Float>
  let accumulate: Bool
}

/// Stores or adds `count` floats.
func combine(_ source: UnsafePointer<Float>, count: Int, into target: GradientTarget) {
  let block = 1 << 15
  parallel(count, by: block) { range, _ in
    let from = source + range.lowerBound
    let to = target.pointer + range.lowerBound
    if target.accumulate {
      for i in 0..<range.count { to[i] += from[i] }
    } else {
      to.update(from: from, count: range.count)
    }
  }
}

extension GradientTarget {
  /// Stores or adds one value.
  func store(_ value: Float, at index: Int) {
    pointer[index] = accumulate ? pointer[index] + value : value
  }
}
