// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Training

/// Which runs the rows of a ladder are made of.
package struct LadderPlan: Sendable {
  /// One run of a ladder.
  package struct Step: Sendable, Hashable {
    /// The name of the run's folder.
    package let name: String
    /// The run that it begins with or learns from; nil for none.
    package let source: String?
    /// `train` or `compress` with their flags, but for the folder, the data and the threads.
    package let arguments: [String]
    /// The training steps; nil for those of the preset.
    package let steps: Int?

    /// Whether it is a training from the start.
    package var isTraining: Bool { arguments.first == "train" }
  }

  /// The baseline; its seed is that of no run.
  package let cell: LeaderboardCell
  /// The ladder's folder.
  package let folder: String
  /// Steps of the baseline; nil for those of the preset.
  package private(set) var steps: Int?
  /// Steps of the training after a compression.
  package private(set) var tuning: Int
  private let hasOwnTuning: Bool
  private let layers: Int
  private let schedule: Schedule

  /// - Parameters:
  ///   - baseline: what the cell amounts to.
  ///   - tuning: steps after a compression; nil for a tenth of the baseline's, 1 at least.
  package init(
    _ cell: LeaderboardCell, baseline: RunConfiguration, folder: String, steps: Int? = nil,
    tuning: Int? = nil
  ) {
    self.cell = cell
    self.folder = folder
    self.steps = steps
    self.tuning = tuning ?? max(1, (steps ?? baseline.training.steps) / 10)
    hasOwnTuning = tuning != nil
    layers = baseline.model.layers
    schedule = baseline.training.schedule
  }

  /// Changes the steps of the baseline, and with them those after a compression where these were not
  /// given.
  package mutating func fit(steps: Int) {
    self.steps = steps
    if !hasOwnTuning { tuning = max(1, steps / 10) }
  }

  /// The runs of a combination for a seed, in their order; the last one is what the row is about.
  ///
  /// - Parameter methods: none for the baseline.
  package func chain(_ methods: [LadderMethod], seed: Int) -> [Step] {
    let ordered = LadderMethod.all.filter(methods.contains)
    let trained = ordered.filter { $0.isTraining }
    let first = training(trained, seed: seed)
    var steps = (first.source == nil ? [] : [training([], seed: seed)]) + [first]
    var done = trained
    for stage in CompressionMethod.allCases where stage.isTrained {
      let own = ordered.filter { $0.stage == stage }
      guard !own.isEmpty, let source = steps.last?.name else { continue }
      done += own
      steps.append(compression(own, of: source, name(done, seed: seed), ordered, seed: seed))
    }
    return steps + last(ordered, behind: steps.last?.name ?? "", seed: seed)
  }

  /// The steps behind all others, of which nothing is trained any more: one training for all of them, where
  /// a method wants it, and then each.
  private func last(_ methods: [LadderMethod], behind run: String, seed: Int) -> [Step] {
    let whole = name(methods, seed: seed)
    let stages = CompressionMethod.allCases.filter { stage in
      !stage.isTrained && methods.contains { $0.stage == stage }
    }
    var steps = training(methods, before: run, whole).map { [$0] } ?? []
    for stage in stages {
      let own = methods.filter { $0.stage == stage }
      steps.append(
        compression(
          own, of: steps.last?.name ?? run,
          stage == stages.last ? whole : "\(whole)-\(stage.rawValue)", methods, seed: seed))
    }
    return steps
  }

  /// The name of the folder of a combination's run.
  package func name(_ methods: [LadderMethod], seed: Int) -> String {
    let ordered = LadderMethod.all.filter(methods.contains)
    let isTuned = ordered.contains { $0.stage?.isTrained == true || !$0.settingsBefore.isEmpty }
    return (ordered.isEmpty ? "baseline" : ordered.map(\.name).joined(separator: "+"))
      + (steps.map { "-n\($0)" } ?? "") + (isTuned ? "-t\(tuning)" : "") + "-s\(seed)"
  }

  /// The training from the start of a combination.
  package func cell(_ methods: [LadderMethod], seed: Int) -> LeaderboardCell {
    var cell = cell
    cell.seed = seed
    for setting in methods.flatMap({ filled($0.settings, seed: seed) }) {
      if setting.hasPrefix(Self.modelKey) {
        cell.model = String(setting.dropFirst(Self.modelKey.count))
      } else {
        cell.assignments.append(setting)
      }
    }
    return cell
  }

  private static let modelKey = "model.name="

  private func training(_ methods: [LadderMethod], seed: Int) -> Step {
    let needsBaseline = methods.contains { $0.settings.contains { $0.contains("{baseline}") } }
    return Step(
      name: name(methods, seed: seed), source: needsBaseline ? name([], seed: seed) : nil,
      arguments: ["train"] + cell(methods, seed: seed).flags(steps: steps), steps: steps)
  }

  /// The training that goes before a compression, with a tenth of the baseline's rate; nil for none.
  private func training(_ methods: [LadderMethod], before source: String, _ name: String) -> Step? {
    let settings = methods.flatMap(\.settingsBefore)
    guard !settings.isEmpty else { return nil }
    let run = "\(folder)/\(source)"
    let fitted = schedule.fitted(toSteps: tuning)
    let own = [
      "train.initial=\(run)", "train.warmup=\(fitted.warmup)",
      "train.learning-rate=\(fitted.base / 10)",
    ]
    return Step(
      name: "\(name)-before", source: source,
      arguments: ["train", "--config", "\(run)/config.json", "--steps", "\(tuning)"]
        + (own + settings).flatMap { ["--set", $0] },
      steps: tuning)
  }

  private func compression(
    _ methods: [LadderMethod], of source: String, _ name: String, _ all: [LadderMethod], seed: Int
  ) -> Step {
    let isTrained = methods.allSatisfy { $0.stage?.isTrained == true }
    // Who learns from a teacher goes on learning from it.
    let teacher = all.flatMap(\.settings).filter { $0.hasPrefix("train.teacher=") }
    let flags =
      isTrained
      ? ["--steps", "\(tuning)"] + filled(teacher, seed: seed).flatMap { ["--set", $0] } : []
    return Step(
      name: name, source: source,
      arguments: ["compress", "\(folder)/\(source)"]
        + methods.flatMap { filled($0.flags, seed: seed) } + flags,
      steps: isTrained ? tuning : 0)
  }

  private func filled(_ texts: [String], seed: Int) -> [String] {
    texts.map {
      $0.replacing("{baseline}", with: "\(folder)/\(name([], seed: seed))")
        .replacing("{half}", with: "\((layers + 1) / 2)").replacing("{last}", with: "\(layers - 1)")
    }
  }

  // MARK: What cannot be

  /// Checks that a combination can be made of this baseline.
  ///
  /// - Parameters:
  ///   - dataFolder: where data lives.
  ///   - compression: checks flags of `lra compress` on what is compressed.
  /// - Throws: `UserError` that says why it cannot.
  package func check(
    _ methods: [LadderMethod], dataFolder: String,
    compression: (_ flags: [String], RunConfiguration) throws -> Void
  ) throws {
    for (place, method) in methods.enumerated() {
      if let model = method.model, model != cell.model {
        throw refusal("\(method.name) is for \(model), not for \(cell.model)")
      }
      for other in methods[..<place] {
        guard let reason = method.conflict(with: other) else { continue }
        throw refusal("\(other.name) with \(method.name): \(reason)")
      }
    }
    if layers < 2, methods.contains(where: { $0.settings.contains { $0.contains("{half}") } }) {
      throw refusal("there is one block, which cannot be halved")
    }
    let trained = methods.filter { $0.isTraining }
    let configuration = try cell(trained, seed: cell.seed).resolve(dataFolder: dataFolder)
    let before = methods.flatMap(\.settingsBefore)
    if !before.isEmpty {
      var cell = cell(trained, seed: cell.seed)
      cell.assignments += ["train.initial=\(folder)"] + before
      _ = try cell.resolve(dataFolder: dataFolder)
    }
    let flags = methods.flatMap { filled($0.flags, seed: cell.seed) }
    if !flags.isEmpty { try compression(flags, configuration) }
  }

  private func refusal(_ problem: String) -> UserError {
    UserError(.usage, problem, remedy: "leave it out of --methods")
  }
}

extension CompressionMethod {
  /// Whether a training may follow.
  fileprivate var isTrained: Bool { self == .prune || self == .factorise }
}

extension LadderMethod {
  /// The kind of compression; nil for a training.
  var stage: CompressionMethod? {
    if case .compression(let stage, _, _) = work { stage } else { nil }
  }

  /// Whether it is a training from the start.
  package var isTraining: Bool { stage == nil }

  fileprivate var settings: [String] {
    if case .training(let settings) = work { settings } else { [] }
  }

  fileprivate var flags: [String] {
    if case .compression(_, let flags, _) = work { flags } else { [] }
  }

  fileprivate var settingsBefore: [String] {
    if case .compression(_, _, let settings) = work { settings } else { [] }
  }
}
