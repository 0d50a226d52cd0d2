// SPDX-License-Identifier: Apache-2.0

import Testing

/// An operation at a scale where 32 bits cancel unless it is written with care.
struct ExtremeCase: Sendable, CustomTestStringConvertible {
  let op: OpCase
  /// Of the largest element of the result.
  let tolerance: Double
  /// Of the gradient's size.
  let gradientTolerance: Double
  /// The oracle is differentiated with this step.
  let step: Double

  init(
    _ op: OpCase, _ tolerance: Double = EngineTests.OpTests.forwardTolerance,
    gradient: Double = EngineTests.OpTests.gradientTolerance, step: Double = 1e-6
  ) {
    self.op = op
    self.tolerance = tolerance
    gradientTolerance = gradient
    self.step = step
  }

  var testDescription: String { op.name }

  static let all = landmarks + sorts + exponentials + norms + recurrences

  /// Attention between landmarks that is nearly even, as in a fresh model.
  ///
  /// Rounding of the attention itself grows 13/4-fold in every iteration of its inverse, until this is
  /// done. The tolerances are two to four times what the paper's formula loses in NumPy's 32 bits.
  private static let landmarks: [ExtremeCase] = [
    inverse(range: 1, iterations: 6, 1e-5), inverse(range: 1, iterations: 10, 2e-5),
    inverse(range: 1, iterations: 16, 5e-5),
    inverse(range: 0.2, iterations: 6, 2e-5), inverse(range: 0.2, iterations: 10, 5e-5),
    inverse(range: 0.2, iterations: 12, 2e-4), inverse(range: 0.2, iterations: 16, 3e-3),
  ]

  private static func inverse(range: Float, iterations: Int, _ tolerance: Double) -> ExtremeCase {
    .init(
      OpCases.nystrom([64], heads: 1, width: 32, iterations: iterations, range: -range...range),
      tolerance, gradient: tolerance, step: 1e-5)
  }

  /// Scores of blocks that lie far apart, but for ties.
  private static let sorts: [ExtremeCase] = [
    .init(OpCases.sinkhorn([17, 8], heads: 2, columns: 17, spread: 1e3), step: 1e-4),
    .init(OpCases.sinkhorn([17, 8], heads: 2, columns: 17, spread: 1e5), step: 1e-3),
  ]

  /// Scores whose exponentials overflow or vanish.
  private static let exponentials: [ExtremeCase] = [
    .init(OpCases.softmax([65, 17], heads: 2, width: 16).with(0, times: 20), gradient: 1e-4),
    .init(OpCases.crossEntropy(33, 17).with(0, times: 100)),
    .init(OpCases.random([33, 1], heads: 2, width: 8, features: 17, .softmax, range: -20...20)),
    .init(OpCases.cosine([17, 33], heads: 2, width: 16).with(0, times: 100)),
    .init(OpCases.perceptron(33, 17, 33, 15, .gelu).with(0, times: 50)),
    .init(OpCases.gated(33, 64, 64).with(1, times: 50)),
  ]

  /// Rows far from zero, of which the mean keeps 1e-7 of its own size, and rows near it.
  private static let norms: [ExtremeCase] = [
    .init(OpCases.layerNorm(33, 64).with(0, plus: 100), 5e-5, gradient: 1e-4),
    .init(OpCases.layerNorm(33, 64).with(0, times: 1e-3)),
    .init(OpCases.batch(130, width: 17, given: false).with(0, plus: 10), 5e-5, gradient: 1e-4),
    .init(OpCases.batch(130, width: 17, given: false).with(0, plus: 100), 1e-4, gradient: 5e-4),
    .init(OpCases.unit(33, heads: 2, width: 16).with(0, times: 1e4)),
    .init(OpCases.unit(33, heads: 2, width: 16).with(0, times: 1e-2)),
  ]

  /// Time steps and poles near their limits, and a long transform.
  private static let recurrences: [ExtremeCase] = [
    .init(OpCases.hold(modes: 5, channels: 17).with(0, plus: -8)),
    .init(OpCases.hold(modes: 5, channels: 17).with(0, plus: 4)),
    .init(OpCases.ring(17).with(0, plus: -8)),
    .init(OpCases.ring(17).with(0, plus: 4)),
    .init(OpCases.fourier([4096], width: 2, length: 4096)),
  ]
}

extension EngineTests {
  @Suite("Extreme scales")
  struct ExtremeTests {
    @Test("The result is the oracle's", arguments: ExtremeCase.all)
    func forward(extreme: ExtremeCase) {
      #expect(extreme.op.forwardError() <= extreme.tolerance)
    }

    @Test("The gradients are the oracle's derivatives", arguments: ExtremeCase.all)
    func gradient(extreme: ExtremeCase) {
      let errors = extreme.op.gradientErrors(step: extreme.step)
      #expect(errors.allSatisfy { $0 <= extreme.gradientTolerance }, "\(errors)")
    }
  }
}
