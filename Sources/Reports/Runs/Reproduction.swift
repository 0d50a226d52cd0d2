// SPDX-License-Identifier: Apache-2.0

import Runs

/// How a run that was done again compares with the published one.
package enum Reproduction: Equatable, Sendable {
  /// Every count and loss is the same.
  case exact
  /// The accuracies differ by no more than two standard errors of their difference.
  case withinError(Double)
  /// They differ by more; the number is the difference in points.
  case different(Double)

  /// Compares two results of one configuration.
  package init(published: RunResult, again: RunResult) {
    if published.testBest == again.testBest && published.testLast == again.testLast {
      self = .exact
      return
    }
    let difference = again.test.accuracy - published.test.accuracy
    let (a, b) = (again.test.error, published.test.error)
    let isWithin = abs(difference) <= 2 * (a * a + b * b).squareRoot()
    self = isWithin ? .withinError(difference * 100) : .different(difference * 100)
  }
}
