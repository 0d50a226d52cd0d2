// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The learning rate as a function of the step.
///
/// Steps count from 1, the first update, so that warm-up never spends an update at rate zero.
/// With t the step, w the warm-up, T all steps and b the base rate:
///
///     constant    b · min(1, t/w)
///     rsqrt       b · min(1, t/w) / √max(t, w)              peak b/√w, at t = w
///     cosine      b · min(1, t/w) · ½(1 + cos(π·max(0, t−w)/(T−w)))
///     one-cycle   b/25 → b over the warm-up, then → b/250 000 at T, both linear
///
/// Source: `rsqrt` and `cosine` from google-research/long-range-arena, `train_utils.py`;
/// `one-cycle` is PyTorch's `OneCycleLR` with linear annealing, as the Nyströmformer and Skyformer
/// LRA code use it.
/// Differs: LRA counts from step 0 and lets its cosine start over; here it ends once, at T.
package struct Schedule: Sendable, Equatable, Codable {
  /// The shapes of a schedule, by their names in the configuration.
  package enum Kind: String, Codable, SettingChoice {
    case constant
    case rsqrt
    case cosine
    case oneCycle = "one-cycle"
  }

  /// The shape.
  package var kind: Kind
  /// The rate that the shape multiplies; for `rsqrt` not the peak, see the formula.
  package var base: Double
  /// Steps over which the rate rises; 0 turns warm-up off.
  package var warmup: Int
  /// Steps of the whole run.
  package var steps: Int

  /// Makes a schedule of `steps` steps.
  ///
  /// - Precondition: `warmup >= 0` and `steps > 0`.
  package init(kind: Kind, base: Double, warmup: Int, steps: Int) {
    precondition(warmup >= 0 && steps > 0, "schedule: warm-up \(warmup), steps \(steps)")
    self.kind = kind
    self.base = base
    self.warmup = warmup
    self.steps = steps
  }

  /// The learning rate of update `step`, counted from 1.
  package func rate(atStep step: Int) -> Double {
    let t = Double(max(step, 1))
    let w = Double(warmup)
    let rise = warmup > 0 ? min(1, t / w) : 1
    switch kind {
    case .constant:
      return base * rise
    case .rsqrt:
      return base * rise / max(t, w).squareRoot()
    case .cosine:
      let fall = min(1, max(0, t - w) / max(1, Double(steps) - w))
      return base * rise * 0.5 * (1 + cos(.pi * fall))
    case .oneCycle:
      return oneCycle(atStep: step, from: base / 25, over: base, to: base / 25 / 1e4)
    }
  }

  /// Adam's first beta at update `step`, for a shape that moves it; `nil` leaves the configured one.
  ///
  /// PyTorch's one-cycle policy lowers it from 0.95 to 0.85 while the rate rises, and back.
  package func beta1(atStep step: Int) -> Double? {
    kind == .oneCycle ? oneCycle(atStep: step, from: 0.95, over: 0.85, to: 0.95) : nil
  }

  /// Two straight lines with PyTorch's indexing: its step 0 is the first update, the first line
  /// ends at warm-up − 1 and the second at T − 1.
  private func oneCycle(
    atStep step: Int, from start: Double, over top: Double, to end: Double
  ) -> Double {
    let position = Double(min(max(step, 1), steps) - 1)
    let corner = Double(min(warmup, steps) - 1)
    if position <= corner {
      return corner > 0 ? start + (top - start) * position / corner : top
    }
    return top + (end - top) * (position - corner) / (Double(steps - 1) - corner)
  }

  /// The same shape squeezed or stretched to `newSteps` steps, for runs with a time budget.
  ///
  /// Warm-up keeps its share of the run. The base of `rsqrt` changes by the root of that share, so
  /// that its peak, which depends on the warm-up, stays where it was.
  package func fitted(toSteps newSteps: Int) -> Schedule {
    let share = Double(newSteps) / Double(steps)
    var fitted = self
    fitted.steps = newSteps
    fitted.warmup = warmup == 0 ? 0 : max(1, Int((Double(warmup) * share).rounded()))
    if kind == .rsqrt, warmup > 0 {
      fitted.base = base * (Double(fitted.warmup) / Double(warmup)).squareRoot()
    }
    return fitted
  }
}
