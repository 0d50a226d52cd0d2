// SPDX-License-Identifier: Apache-2.0

import Base
import Machine
import Reports
import Runs

/// The rows of a ladder, from its runs and measurements.
struct LadderRows {
  let plan: LadderPlan
  let options: LadderRunner.Options
  let queue: LadderQueue
  let measured: LadderTurns

  /// What the search is to know of a combination, by validation examples.
  func outcome(_ methods: [LadderMethod]) throws -> LadderSearch.Outcome {
    let pairs = try pairs(methods, answers: queue.answers)
    return LadderSearch.Outcome(
      score: try score(methods),
      isNotInferior: pairs.map { $0.probability(ofLosing: options.margin) < 0.05 } ?? false)
  }

  /// What the goal makes small; nil where it was not measured.
  func score(_ methods: [LadderMethod]) throws -> Double? {
    try row(methods, .alone).score(options.goal)
  }

  /// The table, with the seconds of all processes.
  func record(_ search: LadderSearch, seconds: Double) throws -> LadderRecord {
    var rows = try [row([], .baseline)] + options.methods.map { try row([$0], .alone) }
    let single = try options.methods.map { try pairs([$0], answers: testAnswers) }
    let corrected = LadderRow.Comparison.corrected(
      single.compactMap(\.self), margin: options.margin)
    for (place, comparison) in zip(single.indices.filter { single[$0] != nil }, corrected) {
      rows[place + 1].comparison = comparison
    }
    if search.chosen.count > 1 {
      var last = try row(search.chosen, .combination)
      if let pairs = try pairs(search.chosen, answers: testAnswers) {
        last.comparison =
          LadderRow.Comparison.corrected([pairs], margin: options.margin).first
      }
      rows.append(last)
    }
    return LadderRecord(
      baseline: plan.cell, length: options.length, steps: plan.steps, goal: options.goal,
      margin: options.margin, seeds: options.seeds, processor: RunEnvironment.cpuModel,
      threads: options.threads, jobs: options.jobs, rows: rows, chosen: search.chosen,
      searchSeconds: seconds, notes: search.decisions + unserving + conflicts)
  }

  /// Methods that are rows, and nothing for the goal.
  private var unserving: [String] {
    options.methods.filter { !$0.goals.contains(options.goal) }.map {
      "\($0.name): not combined, it does not serve \(options.goal.rawValue)"
    }
  }

  /// Pairs of methods that serve the goal and are not combined, each with the reason.
  private var conflicts: [String] {
    let serving = options.methods.filter { $0.goals.contains(options.goal) }
    return serving.enumerated().flatMap { place, method in
      serving[..<place].compactMap { other in
        method.conflict(with: other).map {
          "\(other.name) with \(method.name): not tried, \($0)"
        }
      }
    }
  }

  private func row(_ methods: [LadderMethod], _ role: LadderRow.Role) throws -> LadderRow {
    var row = LadderRow(methods, role: role)
    let names = options.seeds.map { plan.name(methods, seed: $0) }
    row.take(
      models: names.filter { RunRecord.isDone(queue.path($0)) }
        .compactMap { try? RunRecord(queue.path($0)) })
    guard row.models == names.count else {
      row.failure =
        names.lazy.compactMap { self.queue.failures[$0] }.first
        ?? "not done within the budget"
      return row
    }
    let all = measured.all
    let (usual, usualSteps) = (
      LadderMeasurement.baseline(all, training: false),
      LadderMeasurement.baseline(all, training: true)
    )
    if let answers = methods.isEmpty ? usual : measured.find(names[0], training: false) {
      row.take(answers: answers, beside: usual, power: options.power)
    }
    let chain = plan.chain(methods, seed: options.seeds[0])
    let baseline = plan.name([], seed: options.seeds[0])
    row.take(
      training: chain.compactMap { step in
        guard let result = (try? RunRecord(queue.path(step.name)))?.result else { return nil }
        return LadderRow.TrainedRun(
          result: result,
          measured: step.name == baseline
            ? usualSteps : measured.find(step.name, training: true))
      }, baselineSteps: (try? RunRecord(queue.path(baseline)))?.result?.steps ?? 0,
      beside: usualSteps, power: options.power)
    return row
  }

  /// The baseline's answers and the row's, a pair for each seed; nil where some are missing.
  private func pairs(
    _ methods: [LadderMethod], answers: (String) -> String?
  ) throws -> SeedPairs? {
    let pairs = try options.seeds.compactMap { seed -> ([Prediction], [Prediction])? in
      let files = [[], methods].compactMap { answers(plan.name($0, seed: seed)) }
        .filter(FileSystem.exists)
      guard files.count == 2 else { return nil }
      return (try PredictionFile.read(files[0]), try PredictionFile.read(files[1]))
    }
    return pairs.count == options.seeds.count ? SeedPairs(pairs) : nil
  }

  private func testAnswers(_ run: String) -> String? {
    (try? RunRecord(queue.path(run))).flatMap(RunComparison.answersFile)
  }
}
