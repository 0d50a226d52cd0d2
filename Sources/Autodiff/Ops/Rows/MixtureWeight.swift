// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One of several weights that are positive and add up to one: softmax(s)[index].
///
/// - Parameters:
///   - scalars: s, [M].
///   - index: 0 ..< M.
/// - Returns: [1].
package func mixtureWeight(_ scalars: Tensor, _ index: Int) -> Tensor {
  precondition(
    scalars.rows == scalars.count && (0..<scalars.count).contains(index),
    "mixtureWeight: index \(index) of \(scalars.shape)")
  var weights: [Float] = []
  profileRows("mixture weight", scalars, passes: 1) { weights = softmax(scalars.values) }
  return Tensor(shape: [1], [weights[index]]).recorded("mixture weight", from: scalars) { dy in
    profileRows("mixture weight backward", scalars, passes: 1) {
      let products = weights.indices.map { j in
        dy.pointer[0] * weights[index] * ((j == index ? 1 : 0) - weights[j])
      }
      if let target = scalars.node?.target() {
        combine(products, count: products.count, into: target)
      }
    }
  }
}

private func softmax(_ values: [Float]) -> [Float] {
  let high = values.max() ?? 0
  let powers = values.map { Foundation.exp($0 - high) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}
