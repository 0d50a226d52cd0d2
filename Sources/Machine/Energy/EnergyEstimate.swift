// SPDX-License-Identifier: Apache-2.0

import Base

/// The energy that some work took, with the range it may be in and where the figure comes from.
///
/// What is not known has no number, which is something else than 0.
package struct EnergyEstimate: Codable, Sendable, Equatable {
  /// Where the figure comes from.
  package let source: EnergySource
  /// Joules; nil where the source is `none`.
  package let joules: Uncertain?

  private init(_ source: EnergySource, _ joules: Uncertain?) {
    (self.source, self.joules) = (source, joules)
  }

  /// Of work of which nothing is known.
  package static let none = Self(.none, nil)

  /// What counters have measured.
  package init(counted joules: Double) {
    self.init(.rapl, Uncertain(joules, within: EnergySource.rapl.factors))
  }

  /// What the counters measured where there are any, else what a model of the machine says, else
  /// nothing.
  ///
  /// - Parameters:
  ///   - seconds: that the work took.
  ///   - counted: joules of the counters.
  ///   - power: what the machine is thought to draw meanwhile.
  package init(seconds: Double, counted: Double? = nil, power: PowerModel?) {
    if let counted {
      self.init(counted: counted)
    } else if let power {
      self.init(.model, power.watts * seconds)
    } else {
      self = .none
    }
  }

  /// Of two works together: the sum, of the less certain source, and unknown if one of them is.
  package static func + (a: Self, b: Self) -> Self {
    guard let first = a.joules, let second = b.joules else { return .none }
    return Self(a.source == .model ? .model : b.source, first + second)
  }

  /// Of one of several equal works.
  package static func / (a: Self, count: Double) -> Self {
    Self(a.source, a.joules.map { $0 * (1 / count) })
  }

  /// Of several works together; nil of none at all.
  package static func total(_ parts: some Sequence<Self>) -> Self? {
    var sum: Self?
    for part in parts { sum = sum.map { $0 + part } ?? part }
    return sum
  }

  /// The energy for people, with its source: `56 Wh (28–84), model`; empty where it is not known.
  package var text: String {
    guard let joules else { return "" }
    let units = [("J", 1.0), ("Wh", 3600), ("kWh", 3.6e6), ("MWh", 3.6e9)]
    return "\(joules.text(units: units)), \(source.rawValue)"
  }
}

extension EnergyEstimate: CheckedValue {
  /// Checks that there is a number where there is a source.
  package func check() throws(FieldFault) {
    try joules?.check(in: "joules")
    guard (joules == nil) == (source == .none) else {
      throw FieldFault("source is \(source.rawValue), which does not go with its joules")
    }
  }
}
