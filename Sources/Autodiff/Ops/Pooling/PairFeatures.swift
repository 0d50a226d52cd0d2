// SPDX-License-Identifier: Apache-2.0

/// What a classifier sees of two rows that belong together: both, their product, their difference.
///
/// ```
/// y[i] = [a, b, a ⊙ b, a − b]      a = x[2i], b = x[2i + 1]
/// ```
/// - Parameter x: [2B, E], the rows of a pair next to each other.
/// - Returns: [B, 4E].
/// - Complexity: O(B·E).
///
/// Saves: x.
///
/// Source: Tay et al., "Long Range Arena" (2020), arXiv 2011.04006, section 2.2.3.
package func pairFeatures(_ x: Tensor) -> Tensor {
  let (pairs, width) = (x.rows / 2, x.columns)
  precondition(x.rows == 2 * pairs, "pairFeatures: \(x.shape) has an odd number of rows")
  let y = Tensor(shape: [pairs, 4 * width], storage: Storage(count: 4 * pairs * width))
  Profiler.shared.measure("pair features", flops: x.count, bytes: 12 * x.count) {
    for pair in 0..<pairs {
      let (a, to) = (x.pointer + 2 * pair * width, y.pointer + 4 * pair * width)
      to.update(from: a, count: 2 * width)
      for j in 0..<width {
        to[2 * width + j] = a[j] * a[width + j]
        to[3 * width + j] = a[j] - a[width + j]
      }
    }
  }
  return y.recorded("pair features", from: x) { dy in
    guard let dx = x.node?.target() else { return }
    Profiler.shared.measure("pair features backward", flops: 3 * x.count, bytes: 16 * x.count) {
      for pair in 0..<pairs {
        let (first, d) = (2 * pair * width, dy.pointer + 4 * pair * width)
        let a = x.pointer + first
        for j in 0..<width {
          let (product, difference) = (d[2 * width + j], d[3 * width + j])
          dx.store(d[j] + product * a[width + j] + difference, at: first + j)
          dx.store(d[width + j] + product * a[j] - difference, at: first + width + j)
        }
      }
    }
  }
}
