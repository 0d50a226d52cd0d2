// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The softmax cross-entropy of a batch, summed and divided by `count`.
///
/// ```
/// loss = Σ_b (log Σ_c exp(x[b, c]) - Σ_c q[b, c]·x[b, c]) / count
/// q[b, c] = (1 - s)·[c = label_b] + s/C
/// ```
/// - Parameters:
///   - logits: x, [B, C].
///   - labels: the right class of each row, 0 ..< C.
///   - count: what to divide by: B for a whole batch, the size of the whole batch for a part of one,
///     so that the parts' gradients add up to the whole's.
///   - smoothing: s, the share of the target that all classes have alike, 0 ..< 1.
/// - Returns: a scalar, [1].
/// - Complexity: O(B·C).
///
/// Saves: the softmax.
///
/// Source: Szegedy et al., "Rethinking the Inception architecture" (2016), arXiv 1512.00567, for s.
package func crossEntropy(
  _ logits: Tensor, labels: [Int32], count: Int? = nil, smoothing: Float = 0
) -> Tensor {
  let (rows, classes) = (logits.rows, logits.columns)
  precondition(labels.count == rows, "crossEntropy: \(labels.count) labels for \(logits.shape)")
  precondition(
    labels.allSatisfy { $0 >= 0 && $0 < classes }, "crossEntropy: a label is not below \(classes)")
  let divisor = Float(count ?? rows)
  let uniform = smoothing / Float(classes)
  let probabilities = Storage(count: rows * classes)
  var loss = 0.0
  profileRows("cross entropy", logits, passes: 2) {
    for row in 0..<rows {
      let x = logits.pointer + row * classes
      let p = probabilities.pointer + row * classes
      let high = (0..<classes).reduce(-Float.infinity) { max($0, x[$1]) }
      let sum = (0..<classes).reduce(0.0) { $0 + Foundation.exp(Double(x[$1] - high)) }
      for c in 0..<classes { p[c] = Float(Foundation.exp(Double(x[c] - high)) / sum) }
      loss += Foundation.log(sum) - Double(1 - smoothing) * Double(x[Int(labels[row])] - high)
      if smoothing > 0 {
        loss -= (0..<classes).reduce(0.0) { $0 + Double(uniform) * Double(x[$1] - high) }
      }
    }
  }
  let result = Tensor(shape: [1], [Float(loss) / divisor])
  return result.recorded("cross entropy", from: logits) { dy in
    guard let dx = logits.node?.target() else { return }
    let scale = dy.pointer[0] / divisor
    profileRows("cross entropy backward", logits, passes: 2) {
      let from = probabilities.pointer
      for row in 0..<rows {
        for c in 0..<classes {
          let i = row * classes + c
          let target = (c == Int(labels[row]) ? 1 - smoothing : 0) + uniform
          let d = (from[i] - target) * scale
          dx.pointer[i] = dx.accumulate ? dx.pointer[i] + d : d
        }
      }
    }
  }
}
