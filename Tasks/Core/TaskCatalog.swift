// SPDX-License-Identifier: Apache-2.0

import Base

/// A result that a publication reports for a task.
package struct PublishedResult: Sendable, Equatable {
  /// The model's name in this program.
  package let model: String
  /// Accuracy on the test split in percent.
  package let accuracy: Double
  /// The publication and table.
  package let source: String

  /// One cell of a published table.
  package init(_ model: String, _ accuracy: Double, source: String) {
    self.model = model
    self.accuracy = accuracy
    self.source = source
  }

  /// A column of a published table.
  static func table(
    _ source: String, _ cells: [(model: String, accuracy: Double)]
  ) -> [PublishedResult] {
    cells.map { PublishedResult($0.model, $0.accuracy, source: source) }
  }
}

/// What the program knows about one task before any data is touched.
package struct TaskEntry: Sendable {
  /// The name on the command line.
  package let name: String
  /// The name in headings and tables.
  package let title: String
  /// What must be learnt, one sentence.
  package let summary: String
  /// Makes the task for given options.
  package let make: @Sendable (TaskOptions) throws -> any ArenaTask
  /// The presets, the default one first.
  package let presets: [Preset]
  /// Results to stand beside ours.
  package let published: [PublishedResult]
  /// What can be chosen for this task only.
  package let settings: [SettingDeclaration]
  /// What the data in a data folder say of the task's values, where there are any.
  package let derived: @Sendable (_ dataFolder: String) throws -> [PresetValue]

  /// Describes a task.
  ///
  /// - Parameters:
  ///   - settings: what can be chosen for this task only.
  ///   - derived: for a task that knows neither its classes nor its tokens without the data.
  package init(
    _ task: any ArenaTask.Type, summary: String, presets: [Preset], published: [PublishedResult],
    settings: (any SettingSection.Type)? = nil,
    derived: @escaping @Sendable (_ dataFolder: String) throws -> [PresetValue] = { _ in [] }
  ) {
    name = task.name
    title = task.title
    self.summary = summary
    make = { try task.init($0) }
    self.presets = presets
    self.published = published
    self.settings = settings?.declarations ?? []
    self.derived = derived
  }

  /// The preset of that name.
  ///
  /// - Throws: `UserError` of kind `usage` with the names that exist.
  package func preset(_ name: String) throws -> Preset {
    if let preset = presets.first(where: { $0.name == name }) { return preset }
    throw unknown("preset \(name) of task \(self.name)", name, presets.map(\.name))
  }
}

/// All tasks, one line each.
package enum TaskCatalog {
  /// Every task: the benchmark's in its order, then the user's own data.
  package static let all: [TaskEntry] = [
    .listOps, .text, .retrieval, .image, .pathfinder, .pathX, .sequences,
  ]

  /// The task of that name.
  ///
  /// - Throws: `UserError` of kind `usage` with the closest names.
  package static func named(_ name: String) throws -> TaskEntry {
    if let entry = all.first(where: { $0.name == name }) { return entry }
    throw unknown("task \(name)", name, all.map(\.name))
  }
}

/// The error for a name that does not exist.
private func unknown(_ what: String, _ name: String, _ known: [String]) -> UserError {
  UserError(.usage, "there is no \(what)", remedy: remedy(unknown: name, among: known))
}
