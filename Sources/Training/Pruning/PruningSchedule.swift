// SPDX-License-Identifier: Apache-2.0

/// How much is removed after which step.
///
/// ```
/// s(j) = s·(1 - (1 - j/m)³) after step t₀ + j·(t₁ - t₀)/m, j = 0 … m
/// ```
/// Source: Zhu and Gupta, "To prune, or not to prune" (2017), arXiv 1710.01878.
package struct PruningSchedule: Sendable, Equatable {
  private let share: Double
  private let steps: ClosedRange<Int>
  private let updates: Int

  /// - Parameters:
  ///   - share: s, removed in the end.
  ///   - steps: t₀ and t₁.
  ///   - updates: m.
  package init(share: Double, steps: ClosedRange<Int>, updates: Int) {
    (self.share, self.steps, self.updates) = (share, steps, updates)
  }

  /// That of a run.
  init(_ settings: PruningSettings, steps: Int) {
    let at = { (share: Double) in max(1, Int((share * Double(steps)).rounded())) }
    let first = at(settings.pruneStart)
    self.init(
      share: settings.pruneShare, steps: first...max(first, at(settings.pruneEnd)),
      updates: settings.pruneUpdates)
  }

  /// The share to remove after a step; nil where nothing changes.
  package func share(after step: Int) -> Double? {
    guard steps.contains(step) else { return nil }
    let last = (0...updates).last { place($0) == step }
    return last.map {
      let left = 1 - Double($0) / Double(updates)
      return share * (1 - left * left * left)
    }
  }

  /// Whether everything is removed after a step.
  package func isOver(after step: Int) -> Bool { step >= steps.upperBound }

  private func place(_ update: Int) -> Int {
    let length = Double(steps.upperBound - steps.lowerBound)
    return steps.lowerBound + Int((length * Double(update) / Double(updates)).rounded())
  }
}
