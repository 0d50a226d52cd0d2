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

    /// A question.
    package init(task: String, length: Int, memory: Int? = nil, time: Double? = nil) {
      self.task = task
      self.length = length
      self.memory = memory
      self.time = time
    }
  }

  /// A model that was trained on the task at the length.
  package struct Candidate: Sendable, Encodable {
    /// The model's name.
    package let model: String
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
    /// The steps of its schedule.
    package let steps: Int
    /// The preset and what was changed.
    package let conditions: String
    /// Why it is not taken; empty for one that may be.
    package let objections: [String]
    /// Whether the first of the list is not distinguishably better.
    package let isAsGoodAsTheBest: Bool
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

  /// Answers a question.
  ///
  /// Of a model's runs those with the best validation accuracy count, whatever their schedule, which
  /// is told. Among models that are not distinguishable
  /// from the best one at the 5 % level, the fastest to train comes first.
  ///
  /// - Parameters:
  ///   - question: what is asked.
  ///   - runs: finished trainings.
  ///   - speed: measurements of steps.
  ///   - processor: the one whose steps are told where they were measured; others' where not.
  /// - Throws: `UserError(.usage)` for a task that does not exist.
  package init(
    _ question: Question, runs: [RunRecord], speed: [BenchmarkResult] = [],
    processor: String = RunEnvironment.cpuModel
  ) throws {
    self.question = question
    let entry = try TaskCatalog.named(question.task)
    let trained = SeedGroup.all(runs).filter { $0.conditions.task == entry.name }
    let groups = trained.filter { $0.conditions.length == question.length }
    let models = Dictionary(grouping: groups, by: \.model).compactMapValues { rows in
      rows.max { $0.validationAccuracy < $1.validationAccuracy }
    }
    let fitting = models.values.filter { Self.objections($0, question).isEmpty }
    let best = fitting.max { $0.accuracy < $1.accuracy }
    let isEqual = { (group: SeedGroup) in best.map { !$0.isDistinguishable(from: group) } ?? false }
    let candidate = { (group: SeedGroup) in
      Candidate(group, objections: Self.objections(group, question), isEqual: isEqual(group))
    }
    candidates = fitting.map(candidate).sorted(by: Self.isPreferred)
    excluded = models.values.filter { !Self.objections($0, question).isEmpty }.map(candidate)
      .sorted { $0.accuracy > $1.accuracy }
    unmeasured = VariantCatalog.all.map(\.name).filter { models[$0] == nil }
    costs = try StepCosts(
      of: unmeasured, on: entry, length: question.length, elsewhere: trained, speed: speed,
      processor: processor)
  }

  private static func isPreferred(_ a: Candidate, _ b: Candidate) -> Bool {
    if a.isAsGoodAsTheBest != b.isAsGoodAsTheBest { return a.isAsGoodAsTheBest }
    return a.isAsGoodAsTheBest ? a.seconds < b.seconds : a.accuracy > b.accuracy
  }

  private static func objections(_ group: SeedGroup, _ question: Question) -> [String] {
    var objections: [String] = []
    if let memory = question.memory, group.peakResidentBytes > memory {
      objections.append("\(formatBytes(group.peakResidentBytes)) > \(formatBytes(memory))")
    }
    if let time = question.time, group.seconds > time {
      objections.append(
        "\(formatDuration(seconds: group.seconds)) > \(formatDuration(seconds: time))")
    }
    if group.escaped == 0 {
      objections.append("no better than chance after \(formatCount(group.steps)) steps")
    }
    return objections
  }
}

extension Advice.Candidate {
  fileprivate init(_ group: SeedGroup, objections: [String], isEqual: Bool) {
    model = group.model
    accuracy = group.accuracy
    error = group.error
    seeds = group.count
    seconds = group.seconds
    memory = group.peakResidentBytes
    steps = group.steps
    conditions = ([group.conditions.preset] + group.deviations).joined(separator: " ")
    self.objections = objections
    isAsGoodAsTheBest = isEqual
  }
}
