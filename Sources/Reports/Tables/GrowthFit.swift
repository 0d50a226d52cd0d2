// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A power law through measurements: `y = factor · L^exponent`.
package struct GrowthFit: Sendable, Equatable {
  /// The power of the length.
  package let exponent: Double
  /// The value at length 1.
  package let factor: Double

  /// The line of least squares through (log L, log y); nil for fewer than two lengths, or values that
  /// have no logarithm.
  ///
  /// - Parameter points: lengths in tokens, and what was measured there.
  package init?(_ points: [(length: Int, value: Double)]) {
    guard Set(points.map(\.length)).count > 1,
      points.allSatisfy({ $0.length > 0 && $0.value > 0 && $0.value.isFinite })
    else { return nil }
    let x = points.map { log(Double($0.length)) }
    let y = points.map { log($0.value) }
    let (centerX, centerY) = (mean(x), mean(y))
    let products = zip(x, y).map { ($0 - centerX) * ($1 - centerY) }.reduce(0, +)
    let squares = x.map { ($0 - centerX) * ($0 - centerX) }.reduce(0, +)
    exponent = products / squares
    factor = exp(centerY - exponent * centerX)
  }

  /// The value at a length.
  package func value(at length: Double) -> Double { factor * pow(length, exponent) }
}
