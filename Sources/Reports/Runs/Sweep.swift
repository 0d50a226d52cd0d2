// SPDX-License-Identifier: Apache-2.0

import Base

/// Runs of one model that differ in the values of some settings: what a list after `--set` gives.
package struct Sweep: Sendable {
  /// The conditions, which are the same for all.
  package let conditions: RunConditions
  /// The model's name.
  package let model: String
  /// The settings that differ.
  package let keys: [String]
  /// The runs of each choice of values, the best on validation first.
  package let groups: [SeedGroup]

  /// All sweeps among groups of runs.
  package static func all(_ groups: [SeedGroup]) -> [Sweep] {
    struct Family: Hashable {
      let conditions: RunConditions
      let model: String
      let steps: Int
    }
    let families = Dictionary(grouping: groups) {
      Family(conditions: $0.conditions, model: $0.model, steps: $0.plannedSteps)
    }
    return families.values.compactMap(Sweep.init)
      .sorted { ($0.conditions, $0.model) < ($1.conditions, $1.model) }
  }

  /// The runs of one model under the same conditions; nil where no setting differs.
  private init?(_ groups: [SeedGroup]) {
    guard let first = groups.first, groups.count > 1 else { return nil }
    let changed = Set(groups.flatMap { $0.runs.flatMap(\.changedKeys) })
    let keys = changed.filter { key in Set(groups.map { Self.value(key, $0) }).count > 1 }
    guard !keys.isEmpty else { return nil }
    (conditions, model, self.keys) = (first.conditions, first.model, keys.sorted())
    self.groups = SeedGroup.ranked(groups)
  }

  /// The value of a setting in a group.
  static func value(_ key: String, _ group: SeedGroup) -> Setting? {
    group.runs.first?.settings[key]
  }

  /// The settings that are swept over among groups.
  static func keys(_ groups: [SeedGroup]) -> [String] { Set(all(groups).flatMap(\.keys)).sorted() }

  /// The values of a group, as `train.learning-rate=0.001`.
  package func assignments(_ group: SeedGroup) -> String {
    group.assignments(keys).joined(separator: " ")
  }

  /// The numbers that a key has among the groups, least first; empty where it has other values too.
  func numbers(_ key: String) -> [Double] {
    let values = groups.map { Self.value(key, $0).flatMap(Double.init(setting:)) }
    return values.contains(nil) ? [] : Set(values.compactMap(\.self)).sorted()
  }

  /// The keys whose best value is the least or the greatest that was tried: a better one may lie beyond.
  package var open: [String] {
    keys.filter { key in
      let numbers = numbers(key)
      let best = groups.first.flatMap { Self.value(key, $0) }.flatMap(Double.init(setting:))
      return numbers.count > 1 && (best == numbers.first || best == numbers.last)
    }
  }

  /// What was chosen, one line.
  package var choice: String {
    guard let best = groups.first else { return "" }
    let validation = best.validationAccuracy.map(formatPercent) ?? "unknown"
    let edge =
      open.isEmpty ? "" : "; at the end of what was tried of \(open.joined(separator: ", "))"
    return
      "\(conditions.task), \(model): \(assignments(best)) has the best val accuracy, \(validation) "
      + "(test \(formatPercent(best.accuracy)) ± \(formatPercent(best.error)))\(edge)"
  }
}
