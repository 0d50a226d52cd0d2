// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation
import Models

/// Adam with its usual constants and no decay: enough to see whether a model can learn.
package final class AdamLoop {
  private let parameters: Parameters
  private let moments: ParameterArena.Moments
  private let rate: Double
  private var step = 0

  /// An optimizer that has taken no step.
  package init(_ parameters: Parameters, rate: Double) {
    self.parameters = parameters
    self.rate = rate
    moments = ParameterArena.Moments(count: parameters.values.count)
  }

  /// One step along the gradients of this loss.
  package func minimize(_ loss: Tensor) {
    let arena = parameters.values
    loss.backward()
    arena.completeGradients()
    step += 1
    let numbers = ParameterArena.AdamStep(
      rate: Float(rate), decay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
      inverseCorrection1: Float(1 / (1 - pow(0.9, Double(step)))),
      inverseCorrection2: Float(1 / (1 - pow(0.999, Double(step)))), gradientScale: 1)
    for parameter in parameters.all { arena.adamStep(parameter.range, moments, numbers) }
    arena.clearGradients()
  }
}
