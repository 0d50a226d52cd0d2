// SPDX-License-Identifier: Apache-2.0

import Autodiff
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

  static let all =
    landmarks + sorts + exponentials + attentions + linearAttentions + norms + sums + recurrences
    + scans + hashes

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

  /// Logits of attention of which one outweighs all others, and logits that lie far from zero
  /// together: one of 1000 is rounded to 6e-5, of which the weights of the greatest two have a quarter.
  private static let attentions: [ExtremeCase] =
    [
      OpCases.pattern(
        "shuffled", [131, 1], heads: 2, width: 16, OpCases.shuffled, range: -8...8),
      OpCases.chunks([65, 2], heads: 2, .init(rounds: 3, factors: [4], chunk: 8)).with(
        0, times: 6),
      OpCases.sorted([33, 1, 6], block: 4, heads: 2, width: 17).with(0, times: 20),
      OpCases.sorted([33, 6], block: 4, heads: 2, width: 16, shortcut: 2).with(0, times: 20),
      OpCases.biased([17, 33], [33, 65], heads: 2, width: 16).with(1, times: 30),
      OpCases.sharedKeys([17, 130], heads: 2, width: 15).with(0, times: 50),
      OpCases.keyBias([17, 1, 33], heads: 2, width: 16, query: 8).with(3, times: 100),
      OpCases.keyBias([17, 1, 33], heads: 2, width: 16).with(1, plus: 1e3),
      OpCases.outer([17, 33], fine: 6, coarse: 6, heads: 2, width: 16).with(1, times: 50),
      OpCases.table([17, 33], of: 33, heads: 2, width: 16).with(1, times: 100),
    ].map { ExtremeCase($0, 1e-4, gradient: 1e-3) } + [
      .init(OpCases.softmax([65, 17], heads: 2, width: 16).with(0, times: 1e-4)),
      .init(OpCases.mixture(5, 3).with(0, times: 100)),
      .init(OpCases.mixture(5, 3).with(0, plus: 1e3)),
    ]

  /// Features that overflow, vanish, or are all nearly zero.
  private static let linearAttentions: [ExtremeCase] = [
    .init(OpCases.kernel([17, 1, 33], heads: 2, width: 16).with(0, times: 1e3)),
    .init(OpCases.kernel([17, 1, 33], heads: 2, width: 16, epsilon: 1e-6).with(0, plus: -20)),
    .init(OpCases.rectified([17, 1, 33], heads: 2, width: 16).with(0, times: 1e4)),
    .init(OpCases.rectified([17, 1, 33], heads: 2, width: 16).with(0, times: 1e-4)),
    .init(OpCases.random([33, 1], heads: 2, width: 8, features: 17, .relu).with(0, times: 1e4)),
    .init(
      OpCases.random([33, 1], heads: 2, width: 8, features: 17, .relu).with(0, times: 1e-4),
      step: 1e-9),
    .init(
      OpCases.random([33, 1], heads: 2, width: 8, features: 17, .softmax).with(0, times: 1e-4),
      1e-5, gradient: 1e-4, step: 1e-8),
    .init(OpCases.cosine([17, 33], heads: 2, width: 16).with(0, times: 1e-4), step: 1e-9),
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

  /// Long sums of what lies far from zero, and sums of terms of very different size.
  private static let sums: [ExtremeCase] = [
    .init(OpCases.pool([700, 33], width: 17).with(0, plus: 1e4), step: 1e-2),
    .init(OpCases.mean([700, 33], pieces: 8, heads: 2, width: 15).with(0, plus: 1e4), step: 1e-2),
    .init(OpCases.sum([700, 33], block: 64, width: 15).with(0, plus: 1e4), step: 1e-2),
    .init(OpCases.normalizedLinear(33, 64, 130).with(0, plus: 100), 5e-5, gradient: 1e-4),
    .init(OpCases.normalizedLinear(33, 64, 130).with(0, times: 1e4)),
    .init(OpCases.normalizedSums([150], block: 70, 64).with(0, plus: 100), 5e-5, gradient: 1e-4),
    .init(OpCases.feedForward(33, 64, 130, .gelu).with(0, plus: 100), 5e-5, gradient: 1e-4),
    .init(OpCases.feedForward(33, 64, 130, .gelu).with(3, times: 100)),
    .init(OpCases.feedForward(33, 64, 130, .relu).with(3, times: 1e4)),
    .init(OpCases.linear(33, 64, 130, .gelu).with(0, times: 1e4), gradient: 1e-4),
    .init(OpCases.linear(33, 64, 130, .gelu).with(0, times: 1e-4)),
    .init(OpCases.residualLinear(33, 64, 130).with(0, times: 1e4)),
    .init(OpCases.residualLinear(33, 64, 130).with(1, times: 1e4), step: 1e-3),
    .init(OpCases.grouped(130, 33, 15, groups: 3).with(0, times: 1e4)),
    .init(OpCases.residualSum(33, 17).with(0, times: 1e4)),
    .init(OpCases.reversible(17, width: 15).with(0, times: 1e4)),
    .init(OpCases.reversible(17, width: 15).with(1, times: 1e4)),
    .init(
      OpCases.project([130, 15], columns: 64, to: 17, of: 130, groups: [0, 0, 1, 1]).with(
        0, plus: 1e3)),
    .init(
      OpCases.convolution([300, 15], heads: 1, width: 33, taps: 35).with(0, times: 1e4), step: 1e-3),
    .init(OpCases.embed([33, 2], width: 17).with(1, times: 1e4)),
    .init(OpCases.pairFeatures(15, 33).with(0, times: 1e4)),
    .init(OpCases.crossEntropy(33, 17).with(0, plus: 600)),
    .init(OpCases.batch(130, width: 17, given: true).with(0, times: 1e4)),
    .init(OpCases.batch(130, width: 17, given: false).with(0, times: 1e4)),
    .init(OpCases.batch(130, width: 17, given: false).with(0, times: 1e-4)),
  ]

  /// Time steps and poles near their limits, and a long transform.
  private static let recurrences: [ExtremeCase] = [
    .init(OpCases.hold(modes: 5, channels: 17).with(0, plus: -8)),
    .init(OpCases.hold(modes: 5, channels: 17).with(0, plus: 4)),
    .init(OpCases.ring(17).with(0, plus: -8)),
    .init(OpCases.ring(17).with(0, plus: 4)),
    .init(OpCases.fourier([4096], width: 2, length: 4096)),
    .init(OpCases.fourier([33, 130], width: 34, length: 130).with(0, times: 1e4)),
    .init(OpCases.fourier([33, 130], width: 34, length: 130).with(0, plus: 1e3)),
    .init(OpCases.residualFourier([130, 1], width: 34, length: 130).with(0, times: 1e4)),
    .init(OpCases.rows(17, 33, period: 17).with(1, times: 20)),
    .init(OpCases.columns(33, 17).with(1, times: 1e4)),
  ]

  /// Recurrences with poles near the unit circle and near zero, through many steps, whose rounding
  /// adds up.
  private static let scans: [ExtremeCase] =
    [Float(0.99999), 0.999, 0.5, 1e-3, 1e-6].flatMap { radius in
      [Float(1e4), 1e-4].map { size in
        ExtremeCase(
          OpCases.scan([1500, 1, 70], states: 5, reversed: size < 1, radius: radius)
            .with(0, times: size))
      }
    }
    + [Float(-5), 0, 3].flatMap { step in
      [Float(1e4), 1e-4].map { size in
        ExtremeCase(
          OpCases.layer([600, 1, 70], modes: 2, channels: 2).with(0, times: size)
            .with(2, plus: step), 2e-5, gradient: 1e-4)
      }
    }

  /// Chunks are the oracle's whatever the length of the rows that are hashed, and where products tie.
  private static let hashes: [ExtremeCase] = [
    OpCases.Hashed.times(1e6), .times(1e-6), .times(1e30), .times(1e-30), .ties,
  ].map { hashed in
    ExtremeCase(
      OpCases.chunks(
        [65, 2, 33], heads: 2, .init(rounds: 3, factors: [4, 6], chunk: 8), hashed: hashed))
  }
}

extension EngineTests {
  @Suite("Extreme scales")
  struct ExtremeTests {
    @Test("The result is the oracle's", arguments: ExtremeCase.all)
    func forward(extreme: ExtremeCase) {
      #expect(extreme.op.forwardError(floor: 1e-9) <= extreme.tolerance)
    }

    @Test("The gradients are the oracle's derivatives", arguments: ExtremeCase.all)
    func gradient(extreme: ExtremeCase) {
      let errors = extreme.op.gradientErrors(step: extreme.step)
      #expect(errors.allSatisfy { $0 <= extreme.gradientTolerance }, "\(errors)")
    }

    /// Beyond what the oracle's exponentials hold.
    @Test("Cross entropy of logits of 10,000 is finite and right", arguments: [0, 1])
    func largeLogits(label: Int32) {
      let loss = crossEntropy(Tensor(shape: [1, 2], [1e4, 0]), labels: [label])
      #expect(loss.scalar == (label == 0 ? 0 : 1e4))
    }
  }
}
