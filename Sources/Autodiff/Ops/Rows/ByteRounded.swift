// SPDX-License-Identifier: Apache-2.0

/// How the numbers of a row of a weight become signed bytes: x ≈ scale·q.
///
/// ```
/// scale = max |x| / 127      q = rint(x/scale), of two the even one, between −127 and 127
/// ```
/// A row of zeros has the scale 1. |x − scale·q| ≤ scale/2.
package struct ByteRounding {
  /// The scale.
  package let scale: Float

  /// - Parameter row: its numbers; those that are not finite are passed over.
  package init(_ row: UnsafeBufferPointer<Float>) {
    let largest = row.reduce(Float(0)) { max($0, abs($1)) }
    scale = largest == 0 ? 1 : max(largest / 127, .leastNormalMagnitude)
  }

  /// q as a float; a number that is not finite stays as it is.
  package func byte(_ x: Float) -> Float {
    guard x.isFinite else { return x }
    return Float(max(-127, min(127, (Double(x) / Double(scale)).rounded(.toNearestOrEven))))
  }
}

/// y = scale·q of each row: what is left of a weight that a file holds as bytes.
///
/// - Parameter x: [N, I].
/// - Returns: [N, I].
/// - Complexity: O(N·I).
///
/// Saves: nothing. The gradient passes straight through the rounding, dx = dy: no number is cut off, as the
/// largest of a row sets its scale, which gets no gradient.
///
/// Source: Bengio, Léonard and Courville (2013), arXiv 1308.3432, the straight-through estimator.
package func byteRounded(_ x: Tensor) -> Tensor {
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  let width = x.columns
  profileRows("rounded to bytes", x, passes: 2) {
    parallel(x.rows, by: tileRows) { rows, _ in
      for row in rows {
        let (from, to) = (x.pointer + row * width, y.pointer + row * width)
        let rounding = ByteRounding(UnsafeBufferPointer(start: from, count: width))
        for j in 0..<width { to[j] = rounding.scale * rounding.byte(from[j]) }
      }
    }
  }
  return y.recorded("rounded to bytes", from: x) { dy in x.node?.accept(dy, count: x.count) }
}
