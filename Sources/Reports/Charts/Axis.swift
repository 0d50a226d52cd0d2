// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// One axis of a plot: from values to places between 0 and 1, with ticks at round numbers.
package struct Axis {
  /// What is shown, with its unit.
  package let title: String
  /// What follows a number.
  private let unit: String
  /// Whether equal distances are equal ratios.
  package let isLogarithmic: Bool
  private let low: Double
  private let high: Double
  /// Greater numbers than this, and positive ones below its inverse, have no place on any axis.
  private static let largest = 1e100

  /// An axis that holds all values; those that cannot be shown, such as NaN, are left out.
  ///
  /// - Parameters:
  ///   - title: what is shown, with its unit.
  ///   - unit: what follows a number: `%`, `steps/s`.
  ///   - includesZero: whether a linear axis begins at 0.
  ///   - span: a linear axis shows no less than this, so that noise is not made large.
  ///   - limits: a linear axis shows nothing beyond these, as 0 and 100 %.
  package init(
    _ title: String, unit: String, _ values: [Double], isLogarithmic: Bool = false,
    includesZero: Bool = false, span: Double = 0, limits: ClosedRange<Double>? = nil
  ) {
    self.title = title
    self.unit = unit
    let shown = values.filter { Self.isShown($0, isLogarithmic: isLogarithmic) }
    self.isLogarithmic = isLogarithmic
    var low = shown.min() ?? (isLogarithmic ? 1 : 0)
    var high = shown.max() ?? (isLogarithmic ? 10 : 1)
    if isLogarithmic {
      let margin = max(pow(high / low, 0.06), 1.05)
      (low, high) = (low / margin, high * margin)
    } else {
      if includesZero { low = min(low, 0) }
      let missing = max(0, span - (high - low))
      (low, high) = (low - missing / 2, high + missing / 2)
      let margin = high > low ? (high - low) * 0.06 : max(abs(high) * 0.1, 0.5)
      low = includesZero && low == 0 ? 0 : low - margin
      high += margin
      if let limits {
        // What is cut off at one end is shown at the other.
        let (below, above) = (max(0, limits.lowerBound - low), max(0, high - limits.upperBound))
        low = max(limits.lowerBound, low - above)
        high = min(limits.upperBound, high + below)
      }
    }
    (self.low, self.high) = (low, high)
  }

  /// The title as it stands beside the axis.
  package var label: String { isLogarithmic ? "\(title) (log scale)" : title }

  /// The place of a value, 0 at the low end and 1 at the high one; nil where it cannot be shown.
  package func place(_ value: Double) -> Double? {
    guard Self.isShown(value, isLogarithmic: isLogarithmic) else { return nil }
    if isLogarithmic { return log(value / low) / log(high / low) }
    return (value - low) / (high - low)
  }

  /// Round values inside the axis, with their labels; two at least where the axis allows it.
  package var ticks: [(value: Double, label: String)] {
    let values = isLogarithmic ? logarithmicTicks : linearTicks(about: 6)
    return values.map { ($0, Self.label($0)) }
  }

  private var logarithmicTicks: [Double] {
    let decades = Int(floor(log10(low)))...Int(ceil(log10(high)))
    for steps in [[1.0], [1, 3], [1, 2, 5]] {
      let values = decades.flatMap { decade in steps.map { $0 * pow(10, Double(decade)) } }
        .filter { $0 >= low && $0 <= high }
      if values.count >= 3 { return values }
    }
    return linearTicks(about: 4).filter { $0 > 0 }
  }

  private static func isShown(_ value: Double, isLogarithmic: Bool) -> Bool {
    isLogarithmic ? (1 / largest...largest).contains(value) : abs(value) <= largest
  }

  private func linearTicks(about count: Int) -> [Double] {
    let raw = (high - low) / Double(count)
    let power = pow(10, floor(log10(raw)))
    let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= raw } ?? raw
    let (first, last) = ((low / step).rounded(.up), (high / step).rounded(.down))
    // Where the axis is narrower than the numbers' digits tell apart, its ends are all there is.
    guard abs(first) < 1e12, abs(last) < 1e12 else { return [low, high] }
    return first <= last ? (Int(first)...Int(last)).map { Double($0) * step } : []
  }

  /// A value of the axis with its unit: `61.2 %`, `1,024 tokens`.
  package func measured(_ value: Double) -> String {
    let isLarge = (1000..<1e9).contains(abs(value))
    let number = isLarge ? formatCount(Int(value.rounded())) : String(format: "%.3g", value)
    return "\(number) \(unit)"
  }

  /// A number as short as it can be: `0.05`, `30`, `4k`, `2M`.
  static func label(_ value: Double) -> String {
    for (unit, size) in [("M", 1e6), ("k", 1e3)] where abs(value) >= size {
      return trimmed(value / size) + unit
    }
    return trimmed(value)
  }

  private static func trimmed(_ value: Double) -> String {
    if value != 0, !(1e-4..<1e9).contains(abs(value)) { return String(format: "%.3g", value) }
    let rounded = (value * 1e6).rounded() / 1e6
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}
