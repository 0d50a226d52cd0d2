// SPDX-License-Identifier: Apache-2.0

import Base

/// Which method serves a goal on a task, by what was measured: ladders, and self-pretrained runs.
package struct MethodAdvice: Sendable, Encodable {
  /// What one wants.
  package enum Goal: String, CaseIterable, Sendable, Encodable {
    case file
    case latency
    case trainTime = "train-time"
    case trainMemory = "train-memory"
    case energy
    /// More accuracy of as many labels.
    case labels

    fileprivate var ladder: LadderGoal? { LadderGoal(rawValue: rawValue) }
  }

  /// A method that was measured.
  package struct Choice: Sendable, Encodable {
    /// Methods as ladders name them.
    package let method: String
    /// The model that it was measured on.
    package let model: String
    /// The longest sequence, in tokens.
    package let length: Int
    /// The preset, and what was changed.
    package let conditions: String
    /// How many times smaller or faster than the baseline; for labels the gain of accuracy, in −1…1.
    package let gain: Double
    /// Accuracy on the test split, in 0…1, and its standard error.
    package let accuracy: Double
    package let error: Double
    /// The accuracy that is lost at most, one-sided at 5 %; nil where it was not tested.
    package let bound: Double?
    /// What is shown of the accuracy; nil where it was not tested.
    package let verdict: String?
    /// The machine.
    package let processor: String?
    /// Whether it was measured elsewhere.
    package let isPublished: Bool
  }

  /// What one wants.
  package let goal: Goal
  /// Methods that are no worse than their baseline by the ladder's margin, the most useful first.
  package let choices: [Choice]
  /// Methods of which that was not shown.
  package let others: [Choice]

  /// - Parameters:
  ///   - groups: finished trainings of any task.
  ///   - ladders: own ones, and published ones.
  init(
    _ goal: Goal, _ question: Advice.Question, groups: [SeedGroup], ladders: [LadderRecord],
    published: [LadderRecord]
  ) {
    self.goal = goal
    let all =
      goal.ladder.map { ladderGoal in
        [(ladders, false), (published, true)].flatMap { ladders, isPublished in
          ladders.filter { $0.task == question.task }
            .flatMap { Self.choices($0, ladderGoal, isPublished: isPublished) }
        }
      } ?? Self.pretrained(groups.filter { $0.conditions.task == question.task })
    let ordered = all.sorted { a, b in
      let (near, far) = (a.length == question.length, b.length == question.length)
      return near == far ? a.gain > b.gain : near
    }
    let accepted: Set = [LadderRow.Verdict.better.rawValue, LadderRow.Verdict.notInferior.rawValue]
    let isAccepted = { (choice: Choice) in choice.verdict.map(accepted.contains) ?? true }
    choices = ordered.filter(isAccepted)
    others = ordered.filter { !isAccepted($0) }
  }

  /// The rows of a ladder that gain 2 % of the goal or more.
  private static func choices(
    _ ladder: LadderRecord, _ goal: LadderGoal, isPublished: Bool
  ) -> [Choice] {
    guard let base = ladder.rows.first?.score(goal) else { return [] }
    return ladder.rows.dropFirst().compactMap { row in
      guard let score = row.score(goal), let accuracy = row.accuracy, score > 0,
        base / score >= 1.02
      else { return nil }
      return Choice(
        method: row.title, model: ladder.model, length: ladder.length,
        conditions: ([ladder.preset] + ladder.changed).joined(separator: " "), gain: base / score,
        accuracy: accuracy, error: row.error ?? 0, bound: row.comparison?.bound,
        verdict: row.comparison?.verdict.rawValue, processor: ladder.processor,
        isPublished: isPublished)
    }
  }

  /// Self-pretrained runs beside those of the same model that began from scratch.
  private static func pretrained(_ groups: [SeedGroup]) -> [Choice] {
    groups.filter { !$0.conditions.pretraining.isEmpty }.compactMap { group in
      let scratch = groups.filter {
        $0.conditions.pretraining.isEmpty && $0.model == group.model
          && $0.conditions.length == group.conditions.length
          && $0.conditions.data == group.conditions.data
      }
      guard let best = SeedGroup.ranked(scratch).first else { return nil }
      return Choice(
        method: "self-pretraining", model: group.model, length: group.conditions.length,
        conditions: ([group.conditions.preset] + group.deviations).joined(separator: " "),
        gain: group.accuracy - best.accuracy, accuracy: group.accuracy, error: group.error,
        bound: nil,
        verdict: group.isDistinguishable(from: best)
          ? (group.accuracy > best.accuracy
            ? LadderRow.Verdict.better : LadderRow.Verdict.inferior).rawValue
          : LadderRow.Verdict.notShown.rawValue,
        processor: group.runs.first?.environment?.cpu, isPublished: false)
    }
  }
}

extension MethodAdvice {
  /// The answer for people.
  ///
  /// - Parameter model: what to measure methods on where they were not.
  func text(_ question: Advice.Question, model: String) -> String {
    guard let best = choices.first else {
      return "\(heading): not measured on \(question.task)"
        + (others.isEmpty ? "" : " to be as accurate as before") + ".\n"
        + measuring(question, model)
        + (others.isEmpty ? "" : "\nMeasured, and not shown to be as accurate\n\(table(others))")
    }
    return """
      \(heading): take \(best.method) on \(best.model), \(gain(best)).
      \(table(choices))\(others.isEmpty ? "" : "\nNot shown to be as accurate\n\(table(others))")
      """
  }

  private var heading: String {
    switch goal {
    case .file: "A smaller file"
    case .latency: "A faster answer"
    case .trainTime: "Less training time"
    case .trainMemory: "Less training memory"
    case .energy: "Less energy of training"
    case .labels: "More of the same labels"
    }
  }

  private func gain(_ choice: Choice) -> String {
    goal == .labels
      ? formatNumber("%+.1f points", 100 * choice.gain) : formatNumber("%.2fx", choice.gain)
  }

  private func table(_ choices: [Choice]) -> String {
    formatTable(
      [["method", "model", "gain", "test", "lost at most", "verdict"]]
        + choices.map { choice in
          [
            choice.method, choice.model, gain(choice),
            "\(formatPercent(choice.accuracy)) ± \(formatPercent(choice.error))",
            choice.bound.map { formatNumber("%.1f", 100 * $0) } ?? "", choice.verdict ?? "",
          ]
        }, leading: 2,
      remarks: choices.map { choice in
        ([choice.conditions, "\(formatCount(choice.length)) tokens"]
          + (choice.processor.map { [$0] } ?? []) + (choice.isPublished ? ["published"] : []))
          .joined(separator: "; ")
      })
  }

  private func measuring(_ question: Advice.Question, _ model: String) -> String {
    let command =
      goal == .labels
      ? "\(programWord) train --task \(question.task) --model \(model) --set train.pretrain-epochs=4"
      : "\(programWord) ladder --task \(question.task) --model \(model) --goal \(goal.rawValue) "
        + "--budget 3h"
    return "To try first, by what others report: \(first(question.length)). Measure it with:\n"
      + "  \(command)"
  }

  /// The methods that are worth the first try, by the length, of nothing measured here.
  private func first(_ length: Int) -> String {
    switch goal {
    case .file:
      length <= 512
        ? "int8, fixed or factorised positions, tied layers, lowrank"
        : "positions first, int8, tied layers; linformer layerwise"
    case .latency:
      length <= 512
        ? "half the blocks by distillation, fewer inner columns, int8, lowrank"
        : length <= 4096
          ? "linear or s4d with a teacher, int8" : "s4d, lru, or linear, and int8"
    case .trainTime, .energy:
      length <= 512 ? "bf16; lowrank from a width of 256 on" : "local, linear, fnet or s4d; bf16"
    case .trainMemory:
      length <= 4096
        ? "train.accumulation, train.saved=bf16; fnet, luna and local take least"
        : "train.checkpoint with linear or fnet; reversible blocks"
    case .labels: "self-pretraining"
    }
  }
}
