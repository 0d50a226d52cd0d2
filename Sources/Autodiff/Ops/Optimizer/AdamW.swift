// SPDX-License-Identifier: Apache-2.0

import CShims

extension ParameterArena {
  /// One step of AdamW on a range of values, with the gradients scaled by `gradientScale`.
  ///
  /// ```
  /// m = β₁m + (1 - β₁)g    v = β₂v + (1 - β₂)g²
  /// p = p·(1 - rate·decay) - rate·(m / c₁) / (√(v / c₂) + ε)
  /// ```
  package func adamStep(_ range: Range<Int>, _ moments: Moments, _ step: AdamStep) {
    let p = values.pointer + range.lowerBound
    let g = gradients.pointer + range.lowerBound
    let m = moments.first.pointer + range.lowerBound
    let v = moments.second.pointer + range.lowerBound
    let keep = 1 - step.rate * step.decay
    parallel(range.count, by: 1 << 14) { part, _ in
      forLanes(part) { i, width in
        let gradient = load(g + i, count: width) * step.gradientScale
        let mean = step.beta1 * load(m + i, count: width) + (1 - step.beta1) * gradient
        let square =
          step.beta2 * load(v + i, count: width) + (1 - step.beta2) * gradient * gradient
        let deviation = lra_square_root(square * step.inverseCorrection2) + step.epsilon
        let change = step.rate * (mean * step.inverseCorrection1) / deviation
        store(mean, m + i, count: width)
        store(square, v + i, count: width)
        store(load(p + i, count: width) * keep - change, p + i, count: width)
      }
    }
  }

  /// Adam's moment estimates, one pair for each value of the arena.
  package final class Moments {
    fileprivate let first: Storage
    fileprivate let second: Storage

    /// Zeros for an arena of `count` floats.
    package init(count: Int) {
      first = Storage(count: count)
      second = Storage(count: count)
      first.clear()
      second.clear()
    }

    /// Lends both means of all weights, one after the other.
    package func withValues(_ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
      for means in [first, second] {
        body(UnsafeMutableBufferPointer(start: means.pointer, count: means.count))
      }
    }

    /// The two means of one weight.
    package func values(_ range: Range<Int>) -> (first: [Float], second: [Float]) {
      let slice = { (storage: Storage) in
        Array(UnsafeBufferPointer(start: storage.pointer + range.lowerBound, count: range.count))
      }
      return (slice(first), slice(second))
    }

    /// Replaces the two means of one weight.
    package func fill(_ range: Range<Int>, first newFirst: [Float], second newSecond: [Float]) {
      precondition(
        newFirst.count == range.count && newSecond.count == range.count,
        "moments: \(newFirst.count) values for \(range.count)")
      (first.pointer + range.lowerBound).update(from: newFirst, count: range.count)
      (second.pointer + range.lowerBound).update(from: newSecond, count: range.count)
    }
  }

  /// The numbers of one AdamW step.
  package struct AdamStep: Sendable {
    /// The learning rate of this step.
    package var rate: Float
    /// Weight decay, per unit of learning rate.
    package var decay: Float
    /// β₁, the decay rate of the first moment.
    package var beta1: Float
    /// β₂, the decay rate of the second moment.
    package var beta2: Float
    /// ε, added to the root of the second moment.
    package var epsilon: Float
    /// 1 / c₁, the bias correction of the first moment.
    package var inverseCorrection1: Float
    /// 1 / c₂, the bias correction of the second moment.
    package var inverseCorrection2: Float
    /// What gradients are multiplied by: below 1 when they are clipped.
    package var gradientScale: Float

    /// A step of one tensor.
    package init(
      rate: Float, decay: Float, beta1: Float, beta2: Float, epsilon: Float,
      inverseCorrection1: Float, inverseCorrection2: Float, gradientScale: Float
    ) {
      self.rate = rate
      self.decay = decay
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.inverseCorrection1 = inverseCorrection1
      self.inverseCorrection2 = inverseCorrection2
      self.gradientScale = gradientScale
    }
  }
}
