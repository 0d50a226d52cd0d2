// SPDX-License-Identifier: Apache-2.0

import Foundation
import Models
import TestSupport
import Testing

/// Checks that the loss changes along a parameter's gradient as much as the gradient is long.
///
/// - Parameters:
///   - step: how far the parameter is moved, there and back.
///   - tolerance: of the slope, relative and absolute.
func expectSlope(
  of parameter: Parameter, in model: Classifier, step: Double,
  tolerance: (relative: Double, absolute: Double), _ loss: () -> Double
) {
  let arena = model.parameters.values
  let gradient = arena.gradient(parameter.range)
  let norm = euclidean(gradient.map(Double.init))
  #expect(norm > 0, "\(parameter.name)")
  let values = parameter.values
  let moved = [step, -step].map { step in
    arena.fill(parameter.range, zip(values, gradient).map { $0 + Float(step / norm) * $1 })
    return loss()
  }
  arena.fill(parameter.range, values)
  #expect(
    abs((moved[0] - moved[1]) / (2 * step) - norm)
      < tolerance.relative * norm + tolerance.absolute, "\(parameter.name)")
}
