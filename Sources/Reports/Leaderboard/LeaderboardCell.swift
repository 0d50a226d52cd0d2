// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Tasks
import Training

/// One training of the grid: a task, a model, a length, values of what is swept over, and a seed.
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
  /// `key=value`, applied after the preset; the same for all cells of a grid.
  package var assignments: [String]
  /// `key=value` of what the grid sweeps over, applied after the others.
  package var swept: [String]

  /// Takes the names as they are; `grid` checks them.
  package init(
    task: String, model: String, preset: String, length: Int?, seed: Int, assignments: [String],
    swept: [String] = []
  ) {
    self.task = task
    self.model = model
    self.preset = preset
    self.length = length
    self.seed = seed
    self.assignments = assignments
    self.swept = swept
  }

  /// The cell without its seed, by which costs are kept: seeds cost the same.
  package var kind: String {
    "\(task)-\(model)-\(preset)" + (length.map { "-l\($0)" } ?? "") + values + mark
  }

  /// The name of the run's folder for a number of steps, nil for as many as the preset has.
  package func folder(steps: Int?) -> String {
    kind + (steps.map { "-n\($0)" } ?? "") + "-s\(seed)"
  }

  /// The flags of `lra train` for this cell.
  package func flags(steps: Int?) -> [String] {
    ["--task", task, "--model", model, "--preset", preset, "--seed", "\(seed)"]
      + (length.map { ["--length", "\($0)"] } ?? []) + (steps.map { ["--steps", "\($0)"] } ?? [])
      + (assignments + swept).flatMap { ["--set", $0] }
  }

  /// The values swept over, as `-learning-rate=1e-3`; of a key that shares its name the section too.
  private var values: String {
    let names = swept.map { $0.prefix { $0 != "=" }.drop { $0 != "." }.dropFirst() }
    return zip(swept, names).map { assignment, name in
      let isUnique = names.count { $0 == name } == 1 && !name.isEmpty
      let shown = isUnique ? assignment.drop { $0 != "." }.dropFirst() : assignment[...]
      return "-" + String(shown.map { Self.isPlain($0) ? $0 : "_" })
    }.joined()
  }

  /// Whether a character may stand in a folder's name as it is.
  private static func isPlain(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || "=.+-_".contains(character))
  }

  /// Tells grids with other assignments apart, and values that a folder's name cannot.
  private var mark: String {
    let hidden = swept.filter { !$0.allSatisfy(Self.isPlain) }
    if assignments.isEmpty, hidden.isEmpty { return "" }
    var hash = FNV1a()
    hash.add(Array((assignments + hidden).sorted().joined(separator: "\n").utf8))
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
      + (assignments + swept).map { ($0, "--set") }
    return try RunConfiguration(request)
  }

  /// All cells of a grid, seed after seed, so that a grid that is cut off has whole columns.
  ///
  /// - Parameters:
  ///   - lengths: none for each preset's own.
  ///   - preset: nil for each task's first.
  ///   - assignments: `key=value`; of several values with commas between them each is a cell.
  /// - Throws: `UserError` for names that do not exist, or a value given twice.
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
    let lists = try assignments.map(values)
    let fixed = lists.filter { $0.count == 1 }.flatMap { $0 }
    let sweeps = lists.filter { $0.count > 1 }.reduce([[]]) { sweeps, values in
      sweeps.flatMap { sweep in values.map { sweep + [$0] } }
    }
    return seeds.flatMap { seed in
      zip(tasks, presets).flatMap { task, preset in
        sizes.flatMap { length in
          models.flatMap { model in
            sweeps.map {
              LeaderboardCell(
                task: task, model: model, preset: preset, length: length, seed: seed,
                assignments: fixed, swept: $0)
            }
          }
        }
      }
    }
  }

  /// `train.clip=0,1` as one assignment for each value.
  private static func values(_ assignment: String) throws -> [String] {
    guard let equals = assignment.firstIndex(of: "="), assignment.contains(",") else {
      return [assignment]
    }
    let key = assignment[...equals].filter { $0 != " " }
    let values = assignment[assignment.index(after: equals)...]
      .split(separator: ",", omittingEmptySubsequences: false)
      .map { key + $0.filter { $0 != " " } }
    guard Set(values).count == values.count, !values.contains(key) else {
      throw UserError(
        .usage, "--set \(assignment): a value is empty or there twice",
        remedy: "give each value once, with commas between them: \(key)1,2")
    }
    return values
  }
}
