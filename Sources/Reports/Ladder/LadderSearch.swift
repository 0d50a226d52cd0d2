// SPDX-License-Identifier: Apache-2.0

import Base

/// Which methods are combined: greedily, by what validation examples show.
///
/// The methods that help alone are added one at a time, the one that helps most first. Each addition is
/// trained and measured, and stays where the combination is better than before by 2 % of the goal and
/// not inferior to the baseline.
package struct LadderSearch: Sendable {
  /// What is known of a combination.
  package struct Outcome: Sendable, Equatable {
    /// What the goal makes small; nil where it was not measured.
    package let score: Double?
    /// Whether validation examples show that it is not inferior to the baseline.
    package let isNotInferior: Bool

    package init(score: Double?, isNotInferior: Bool) {
      self.score = score
      self.isNotInferior = isNotInferior
    }
  }

  /// The combination; empty where no method helps.
  package private(set) var chosen: [LadderMethod] = []
  /// What was decided of each method, a line each.
  package private(set) var decisions: [String] = []

  /// Less than this share of the goal is no gain.
  private static let leastGain = 0.02

  /// Searches.
  ///
  /// - Parameters:
  ///   - baseline: its score.
  ///   - alone: the methods that serve the goal, each alone.
  ///   - refusal: why a combination cannot be made.
  ///   - attempt: makes and measures one.
  package init(
    baseline: Double, alone: [(method: LadderMethod, outcome: Outcome)],
    refusal: ([LadderMethod]) -> String?, attempt: ([LadderMethod]) throws -> Outcome
  ) rethrows {
    var best = baseline
    let ordered = alone.enumerated().sorted {
      ($0.element.outcome.score ?? .infinity, $0.offset)
        < ($1.element.outcome.score ?? .infinity, $1.offset)
    }
    for (method, outcome) in ordered.map(\.element) {
      if let reason = Self.objection(outcome, best: baseline) {
        decisions.append("\(method.name): \(reason)")
        continue
      }
      let combination = chosen + [method]
      if let reason = refusal(combination) {
        decisions.append("\(Self.title(combination)): not tried, \(reason)")
        continue
      }
      let result = chosen.isEmpty ? outcome : try attempt(combination)
      if let reason = Self.objection(result, best: best) {
        decisions.append("\(Self.title(combination)): \(reason)")
        continue
      }
      chosen = combination
      best = result.score ?? best
      decisions.append("\(Self.title(combination)): taken")
    }
  }

  /// The name of a combination in tables, in the order in which its methods are applied.
  package static func title(_ methods: [LadderMethod]) -> String {
    methods.isEmpty
      ? "baseline"
      : LadderMethod.all.filter(methods.contains).map(\.name).joined(separator: " + ")
  }

  private static func objection(_ outcome: Outcome, best: Double) -> String? {
    guard let score = outcome.score else { return "not measured" }
    guard score <= best * (1 - leastGain) else { return "no gain" }
    return outcome.isNotInferior ? nil : "not shown to be as accurate on validation examples"
  }
}
