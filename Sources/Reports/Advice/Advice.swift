// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Models
import Tasks
import Training

/// Which model to take for a task, a length and a memory, by what the user measured.
///
/// Nothing is guessed: a model whose accuracy was not measured is no candidate. What its steps take is
/// told where that was measured.
package struct Advice: Sendable, Encodable {
  /// What is asked.
  package struct Question: Sendable, Encodable {
    /// The task's name.
    package var task: String
    /// The longest sequence, in tokens.
    package var length: Int
    /// The most memory, bytes; nil for any.
    package var memory: Int?
    /// The most training time, seconds; nil for any.
    package var time: Double?
    /// What a method is looked for; nil for a line on each.
    package var goal: MethodAdvice.Goal?

    /// A question.
    package init(
      task: String, length: Int, memory: Int? = nil, time: Double? = nil,
      goal: MethodAdvice.Goal? = nil
    ) {
      self.task = task
      self.length = length
      self.memory = memory
      self.time = time
      self.goal = goal
    }
  }

  /// A model that was trained on the task at the length.
  package struct Candidate: Sendable, Encodable {
    /// The model's name.
    package let model: String
    /// Mean validation accuracy, in 0…1, which the choice goes by; nil where it was not kept.
    package let validation: Double?
    /// Mean test accuracy, in 0…1, and its standard error.
    package let accuracy: Double
    /// The standard error of the accuracy.
    package let error: Double
    /// Seeds.
    package let seeds: Int
    /// Training seconds.
    package let seconds: Double
    /// The most memory, bytes.
    package let memory: Int
    /// The fewest steps that a run took.
    package let steps: Int
    /// The steps of the preset's schedule; nil where it is not known.
    package let wholeSteps: Int?
    /// Seconds that the preset's schedule takes at the speed of these runs.
    package let wholeSeconds: Double?
    /// Whether the runs are published ones, made elsewhere, for want of own ones.
    package let isPublished: Bool
    /// The processor that the runs were made on; nil where it was not noted.
    package let processor: String?
    /// The preset and what was changed.
    package let conditions: String
    /// Why it is not taken; empty for one that may be.
    package let objections: [String]
    /// Whether the best of the list is not distinguishably better on validation.
    package let isAsGoodAsTheBest: Bool

    /// Whether the preset's steps were all taken.
    package var isWhole: Bool { wholeSteps.map { steps >= $0 } ?? true }
  }

  /// What is asked.
  package let question: Question
  /// Models that fit, the one to take first.
  package let candidates: [Candidate]
  /// Models that were measured and do not fit, with what stands against them.
  package let excluded: [Candidate]
  /// Models that were not trained on the task at this length.
  package let unmeasured: [String]
  /// What a training step of those takes at this length, as far as it was measured.
  package let costs: StepCosts?
  /// The methods for the goal, or for each where none is asked for.
  package let methods: [MethodAdvice]

  /// Answers a question.
  ///
  /// Own runs count, and published ones of the models that have none. Of a model's runs those with the
  /// best validation accuracy that fit count; of several that are as good, those of the preset's whole
  /// schedule with the most seeds. Among models that are not distinguishable on validation from the best
  /// at the 5 % level, those with the whole schedule come first, and of them the fastest to train.
  ///
  /// - Parameters:
  ///   - question: what is asked.
  ///   - runs: own finished trainings.
  ///   - published: others' finished trainings.
  ///   - speed: measurements of steps.
  ///   - ladders: own ladders, and published ones.
  ///   - processor: the one whose steps are told where they were measured; others' where not.
  /// - Throws: `UserError(.usage)` for a task that does not exist.
  package init(
    _ question: Question, runs: [RunRecord], published: [RunRecord] = [],
    speed: [BenchmarkResult] = [],
    ladders: (own: [LadderRecord], published: [LadderRecord]) = ([], []),
    processor: String = RunEnvironment.cpuModel
  ) throws {
    self.question = question
    let entry = try TaskCatalog.named(question.task)
    let own = SeedGroup.all(runs).filter { $0.conditions.task == entry.name }
    let ownModels = Set(own.filter { $0.conditions.length == question.length }.map(\.model))
    let others = SeedGroup.all(published).filter {
      $0.conditions.task == entry.name && !ownModels.contains($0.model)
    }
    let trained = own + others
    let choice = AdviceChoice(
      trained.filter { $0.conditions.length == question.length },
      fits: { Self.objections($0, question).isEmpty })
    let candidate = { (group: SeedGroup) in
      Candidate(
        group, objections: Self.objections(group, question), isEqual: choice.isAsGood(group),
        isPublished: !ownModels.contains(group.model))
    }
    candidates = choice.fitting.map(candidate).sorted(by: Self.isPreferred)
    excluded = choice.others.map(candidate).sorted { $0.accuracy > $1.accuracy }
    let models = Set((candidates + excluded).map(\.model))
    unmeasured = VariantCatalog.all.map(\.name).filter { !models.contains($0) }
    costs = try StepCosts(
      of: unmeasured, on: entry, length: question.length, elsewhere: trained, speed: speed,
      processor: processor)
    let groups = SeedGroup.all(runs + published)
    methods = (question.goal.map { [$0] } ?? MethodAdvice.Goal.allCases).map {
      MethodAdvice(
        $0, question, groups: groups, ladders: ladders.own, published: ladders.published)
    }
  }

  private static func isPreferred(_ a: Candidate, _ b: Candidate) -> Bool {
    if a.isAsGoodAsTheBest != b.isAsGoodAsTheBest { return a.isAsGoodAsTheBest }
    guard a.isAsGoodAsTheBest else {
      return (a.validation ?? a.accuracy) > (b.validation ?? b.accuracy)
    }
    return a.isWhole == b.isWhole ? a.seconds < b.seconds : a.isWhole
  }

  private static func objections(_ group: SeedGroup, _ question: Question) -> [String] {
    var objections: [String] = []
    if let memory = question.memory, group.peakResidentBytes > memory {
      objections.append(excess(formatBytes(group.peakResidentBytes), over: formatBytes(memory)))
    }
    if let time = question.time, group.seconds > time {
      objections.append(
        excess(formatDuration(seconds: group.seconds), over: formatDuration(seconds: time)))
    }
    if group.escaped == 0 {
      objections.append("no better than chance after \(group.stepsText) steps")
    }
    return objections
  }

  /// What is more than allowed, also where rounding hides by how much.
  private static func excess(_ amount: String, over limit: String) -> String {
    amount == limit ? "just over \(limit)" : "\(amount) > \(limit)"
  }
}

extension Advice.Candidate {
  fileprivate init(_ group: SeedGroup, objections: [String], isEqual: Bool, isPublished: Bool) {
    model = group.model
    validation = group.validationAccuracy
    accuracy = group.accuracy
    error = group.error
    seeds = group.count
    seconds = group.seconds
    memory = group.peakResidentBytes
    steps = group.steps.lowerBound
    wholeSteps = group.wholeSteps
    wholeSeconds = group.wholeSteps.map { Double($0) / max(group.stepsPerSecond, 1e-9) }
    self.isPublished = isPublished
    processor = group.runs.first?.environment?.cpu
    conditions = ([group.conditions.preset] + group.deviations).joined(separator: " ")
    self.objections = objections
    isAsGoodAsTheBest = isEqual
  }
}
