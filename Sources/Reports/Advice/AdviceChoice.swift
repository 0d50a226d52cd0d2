// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks

/// Which runs speak for each model, and which models are as good as the best of those that fit.
///
/// Validation decides. A single run does not tell how much its seed matters: it is given the pooled
/// spread of the models that were trained with several seeds.
struct AdviceChoice {
  /// For each model with runs that fit, those that count.
  let fitting: [SeedGroup]
  /// For each other model, the runs that come nearest.
  let others: [SeedGroup]
  private let spread: Double
  private let best: SeedGroup?

  /// - Parameter groups: of one task and length.
  init(_ groups: [SeedGroup], fits: (SeedGroup) -> Bool) {
    let spreads = groups.filter { $0.escaped == $0.count }.compactMap(\.spread)
    let spread = mean(spreads.map { $0 * $0 }).squareRoot()
    self.spread = spread
    let models = Dictionary(grouping: groups, by: \.model).sorted { $0.key < $1.key }
    fitting = models.compactMap { Self.representative($0.value.filter(fits), spread) }
    others = models.filter { !$0.value.contains(where: fits) }
      .compactMap { Self.representative($0.value, spread) }
    best = SeedGroup.ranked(fitting).first
  }

  /// Whether the best is not distinguishably better on validation.
  func isAsGood(_ group: SeedGroup) -> Bool {
    best.map { !Self.isBetter($0, group, spread) } ?? false
  }

  /// Of a model's groups the best on validation, or, of those as good, the one with the whole schedule
  /// and the most seeds.
  private static func representative(_ groups: [SeedGroup], _ spread: Double) -> SeedGroup? {
    let ranked = SeedGroup.ranked(groups)
    guard let best = ranked.first else { return nil }
    let equals = ranked.filter { !isBetter(best, $0, spread) }
    return equals.first { group in
      equals.allSatisfy { (weight(group), group.count) >= (weight($0), $0.count) }
    } ?? best
  }

  private static func weight(_ group: SeedGroup) -> Int { group.isWhole ? 1 : 0 }

  private static func isBetter(_ best: SeedGroup, _ other: SeedGroup, _ spread: Double) -> Bool {
    let (first, second) = (score(best, spread), score(other, spread))
    return first.value > second.value
      && differs(first.value - second.value, errors: first.error, second.error)
  }

  /// The accuracy on validation with its standard error; that of the test where it was not kept.
  private static func score(
    _ group: SeedGroup, _ spread: Double
  ) -> (value: Double, error: Double) {
    let isKnown = group.validationAccuracy != nil
    let error = isKnown ? group.validationError : group.error
    let whole = group.count > 1 ? error : (error * error + spread * spread).squareRoot()
    return (group.validationAccuracy ?? group.accuracy, whole)
  }
}

extension SeedGroup {
  /// The steps of the preset's schedule; nil for a task or preset that is not known.
  var wholeSteps: Int? {
    let preset = try? TaskCatalog.named(conditions.task).preset(conditions.preset)
    let value = preset?.values(for: model).first { $0.key == "train.steps" }?.value
    guard case .integer(let steps)? = value else { return nil }
    return steps
  }

  /// Whether every run took all steps of the preset's schedule.
  var isWhole: Bool { wholeSteps.map { steps.lowerBound >= $0 } ?? true }
}
