// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Tasks
import Training

/// One training of the grid: a task, a model, a length and a seed.
package struct LeaderboardCell: Hashable, Sendable {
  /// The task's name.
  package var task: String
  /// The model's name.
  package var model: String
  /// The preset's name.
  package var preset: String
  /// The longest sequence, in tokens; nil for the preset's.
  package var length: Int?
  /// The seed.
  package var seed: Int
  /// `key=value`, applied after the preset.
  package var assignments: [String]

  /// Takes the names as they are; `grid` checks them.
  package init(
    task: String, model: String, preset: String, length: Int?, seed: Int, assignments: [String]
  ) {
    self.task = task
    self.model = model
    self.preset = preset
    self.length = length
    self.seed = seed
    self.assignments = assignments
  }

  /// The cell without its seed, by which costs are kept: seeds cost the same.
  package var kind: String {
    "\(task)-\(model)-\(preset)" + (length.map { "-l\($0)" } ?? "") + mark
  }

  /// The name of the run's folder for a number of steps, nil for as many as the preset has.
  package func folder(steps: Int?) -> String {
    kind + (steps.map { "-n\($0)" } ?? "") + "-s\(seed)"
  }

  /// The flags of `lra train` for this cell.
  package func flags(steps: Int?) -> [String] {
    ["--task", task, "--model", model, "--preset", preset, "--seed", "\(seed)"]
      + (length.map { ["--length", "\($0)"] } ?? []) + (steps.map { ["--steps", "\($0)"] } ?? [])
      + assignments.flatMap { ["--set", $0] }
  }

  /// Tells grids with other assignments apart.
  private var mark: String {
    if assignments.isEmpty { return "" }
    var hash = FNV1a()
    hash.add(Array(assignments.sorted().joined(separator: "\n").utf8))
    return "-x" + String(hash.value & 0xFFFFFF, radix: 16)
  }

  /// Checks that the configuration exists, before anything is run.
  ///
  /// - Throws: `UserError` for unknown names and bad values.
  package func resolve(dataFolder: String) throws -> RunConfiguration {
    var request = RunConfiguration.Request(
      task: task, model: model, preset: preset, dataFolder: dataFolder)
    request.assignments =
      [("train.seed=\(seed)", "--seeds")]
      + (length.map { [("task.length=\($0)", "--lengths")] } ?? [])
      + assignments.map { ($0, "--set") }
    return try RunConfiguration(request)
  }

  /// All cells of a grid, seed after seed, so that a grid that is cut off has whole columns.
  ///
  /// - Parameters:
  ///   - lengths: none for each preset's own.
  ///   - preset: nil for each task's first.
  /// - Throws: `UserError` for names that do not exist.
  package static func grid(
    tasks: [String], models: [String], lengths: [Int], seeds: [Int], preset: String?,
    assignments: [String]
  ) throws -> [LeaderboardCell] {
    let presets = try tasks.map { name in
      let entry = try TaskCatalog.named(name)
      return try preset.map(entry.preset)?.name ?? entry.presets[0].name
    }
    for model in models { _ = try VariantCatalog.named(model) }
    let sizes: [Int?] = lengths.isEmpty ? [nil] : lengths
    return seeds.flatMap { seed in
      zip(tasks, presets).flatMap { task, preset in
        sizes.flatMap { length in
          models.map {
            LeaderboardCell(
              task: task, model: $0, preset: preset, length: length, seed: seed,
              assignments: assignments)
          }
        }
      }
    }
  }
}
