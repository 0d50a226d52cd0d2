// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// Batch normalisation with running means, ε = 1e-5 and a tenth of each batch as in PyTorch.
///
/// ```
/// running = 0.9·running + 0.1·batch
/// ```
/// The variance that enters is the unbiased one, N/(N - 1) times that of the batch. Of a batch in
/// several shards each is normalised with its own statistics, and their mean enters the running ones.
struct BatchNorm {
  private static let share: Float = 0.1

  private let scale: Parameter
  private let shift: Parameter
  private let mean: Parameter
  private let variance: Parameter

  init(_ width: Int, _ scope: ParameterScope) {
    scale = scope.weight("scale", [width], .ones)
    shift = scope.weight("shift", [width], .zeros)
    mean = scope.weight("mean", [width], .zeros, group: .buffer)
    variance = scope.weight("variance", [width], .ones, group: .buffer)
  }

  /// Normalises with the batch's own statistics in training, with the running ones in evaluation.
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    let norm = Norm(scale: scale.tensor, shift: shift.tensor, epsilon: 1e-5)
    if !context.isTraining {
      let running = ColumnStatistics(mean: mean.values, variance: variance.values)
      return batchNorm(x, norm: norm, given: running).y
    }
    let (y, batch) = batchNorm(x, norm: norm)
    let correction = Float(x.rows) / Float(max(1, x.rows - 1))
    context.observe(mean, batch.mean, share: Self.share)
    context.observe(variance, batch.variance.map { $0 * correction }, share: Self.share)
    return y
  }
}
