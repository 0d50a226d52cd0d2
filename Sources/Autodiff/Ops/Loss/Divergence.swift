// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How far softened answers are from given ones: Kullback and Leibler's divergence times T², summed and
/// divided by `count`.
///
/// ```
/// loss = T²·Σ_b Σ_c p[b, c]·(log p[b, c] - log q[b, c]) / count
/// p = softmax(target/T)      q = softmax(x/T)
/// ```
/// T² keeps the gradient's size while T changes. For a large T the gradient becomes that of half the mean
/// squared difference of the logits, each without its mean over the classes.
///
/// - Parameters:
///   - logits: x, [B, C].
///   - target: logits of the given answers, [B, C], constants.
///   - temperature: T, above 0.
///   - count: what to divide by: B for a whole batch, the size of the whole batch for a part of one.
/// - Returns: a scalar, [1].
/// - Complexity: O(B·C).
///
/// Saves: q - p. The pullback is dx = T·(q - p)·dy/count.
///
/// Source: Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015), arXiv
/// 1503.02531.
package func divergence(
  _ logits: Tensor, from target: Tensor, temperature: Float, count: Int? = nil
) -> Tensor {
  precondition(logits.shape == target.shape, "divergence: \(logits.shape) from \(target.shape)")
  precondition(temperature > 0, "divergence: temperature \(temperature)")
  let (rows, classes) = (logits.rows, logits.columns)
  let divisor = Double(count ?? rows)
  let differences = Storage(count: rows * classes)
  let t = Double(temperature)
  var loss = 0.0
  profileRows("divergence", logits, passes: 3) {
    for row in 0..<rows {
      let q = logProbabilities(logits.pointer + row * classes, classes, t)
      let p = logProbabilities(target.pointer + row * classes, classes, t)
      for c in 0..<classes {
        loss += exp(p[c]) * (p[c] - q[c])
        differences.pointer[row * classes + c] = Float(exp(q[c]) - exp(p[c]))
      }
    }
  }
  let result = Tensor(shape: [1], [Float(t * t * loss / divisor)])
  return result.recorded("divergence", from: logits) { dy in
    guard let dx = logits.node?.target() else { return }
    let scale = Float(t / divisor) * dy.pointer[0]
    profileRows("divergence backward", logits, passes: 2) {
      for i in 0..<rows * classes { dx.store(differences.pointer[i] * scale, at: i) }
    }
  }
}

/// log softmax(x/T).
private func logProbabilities(_ x: UnsafePointer<Float>, _ count: Int, _ t: Double) -> [Double] {
  let scaled = (0..<count).map { Double(x[$0]) / t }
  let high = scaled.max() ?? 0
  let sum = log(scaled.reduce(0) { $0 + exp($1 - high) }) + high
  return scaled.map { $0 - sum }
}
