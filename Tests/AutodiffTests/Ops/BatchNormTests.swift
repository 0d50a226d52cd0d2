// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Testing

@Suite("Batch norm")
struct BatchNormTests {
  /// Two neighbouring floats, whose mean is none: a first mean misses it by as much as they deviate.
  @Test("The variance is that about the mean, though no float is the mean")
  func unrepresentableMean() {
    let low: Float = 4096
    let x = Tensor(shape: [64, 1], (0..<64).map { $0.isMultiple(of: 2) ? low : low.nextUp })
    let norm = Norm(
      scale: Tensor(shape: [1], [1]), shift: Tensor(shape: [1], [0]), epsilon: 1e-5)
    let (_, statistics) = batchNorm(x, norm: norm)
    #expect(statistics.variance == [low.ulp * low.ulp / 4])
  }
}
