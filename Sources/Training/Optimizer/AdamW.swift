// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models

/// Adam with decoupled weight decay, one pass over the arena.
///
/// ```
/// m = β₁m + (1 - β₁)g    v = β₂v + (1 - β₂)g²
/// p = p·(1 - rate·decay) - rate·(m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε)
/// ```
/// Source: Kingma and Ba (2015), arXiv 1412.6980; Loshchilov and Hutter (2019), arXiv 1711.05101.
/// Where β₁ changes from step to step, 1 - β₁ᵗ becomes one minus the product of all β₁ so far, which
/// makes m an average with weights that sum to 1.
/// Differs: PyTorch's takes 1 - β₁(t)ᵗ of the present β₁, which with a one-cycle schedule is another
/// number in the first steps.
package final class AdamW {
  /// The settings that stay the same over a run.
  package struct Settings: Codable, Sendable, Equatable {
    /// Weight decay per unit of learning rate.
    package var weightDecay: Double
    /// Whether biases, norms and other vectors decay too, as in the LRA code.
    package var decayVectors: Bool
    /// β₂, the decay rate of the second moment.
    package var beta2: Double
    /// ε, added to the root of the second moment.
    package var epsilon: Double
    /// Gradients are scaled down to this norm; 0 leaves them alone.
    package var clip: Double
    /// What the learning rate is multiplied by for the poles and time steps of recurrences.
    package var recurrenceRate: Double

    package init(
      weightDecay: Double, decayVectors: Bool, beta2: Double, epsilon: Double, clip: Double,
      recurrenceRate: Double = 1
    ) {
      self.weightDecay = weightDecay
      self.decayVectors = decayVectors
      self.beta2 = beta2
      self.epsilon = epsilon
      self.clip = clip
      self.recurrenceRate = recurrenceRate
    }
  }

  /// Steps taken.
  package private(set) var step = 0
  /// The product of all β₁ so far.
  package private(set) var beta1Product = 1.0
  /// The running means.
  package let moments: ParameterArena.Moments
  private let parameters: Parameters
  private let settings: Settings

  /// An optimizer that has taken no step.
  package init(_ parameters: Parameters, _ settings: Settings) {
    self.parameters = parameters
    self.settings = settings
    moments = ParameterArena.Moments(count: parameters.values.count)
  }

  /// Continues where a checkpoint ended.
  package func restore(step: Int, beta1Product: Double) {
    self.step = step
    self.beta1Product = beta1Product
  }

  /// Changes every weight by one step and clears the gradients.
  ///
  /// - Returns: the norm of the gradients before clipping. If it is not finite nothing is changed.
  package func update(rate: Double, beta1: Double) -> Double {
    let arena = parameters.values
    arena.completeGradients()
    let norm = arena.gradientNorm()
    guard norm.isFinite else { return norm }
    step += 1
    beta1Product *= beta1
    let scale = settings.clip > 0 && norm > settings.clip ? settings.clip / norm : 1
    var numbers = ParameterArena.AdamStep(
      rate: Float(rate), decay: 0, beta1: Float(beta1), beta2: Float(settings.beta2),
      epsilon: Float(settings.epsilon), inverseCorrection1: Float(1 / (1 - beta1Product)),
      inverseCorrection2: Float(1 / (1 - pow(settings.beta2, Double(step)))),
      gradientScale: Float(scale))
    for parameter in parameters.all where parameter.group != .buffer {
      let decays = parameter.decays || (settings.decayVectors && parameter.group == .ordinary)
      numbers.decay = decays ? Float(settings.weightDecay) : 0
      numbers.rate = Float(
        parameter.group == .recurrence ? rate * settings.recurrenceRate : rate)
      arena.adamStep(parameter.range, moments, numbers)
    }
    arena.clearGradients()
    return norm
  }
}
