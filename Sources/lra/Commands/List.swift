// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Models
import Tasks
import Training

/// `lra list`: the tasks with their presets, and the models with their settings.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the tasks with their presets, and the models with their settings.",
    discussion: "lra list --json")

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let listing = try Listing()
    try printResult(json ? try jsonText(listing) : listing.text)
  }
}

/// Everything that can be chosen, as printed by `lra list --json`.
struct Listing: Encodable {
  struct TaskLine: Encodable {
    let name: String
    let title: String
    let summary: String
    let classes: Int
    /// Sequences of an example.
    let towers: Int
    let length: Int
    let vocabulary: Int
    let options: [String: Setting]
    let presets: [PresetLine]
  }

  struct PresetLine: Encodable {
    let name: String
    let summary: String
    let comparable: Bool
  }

  struct ModelLine: Encodable {
    let name: String
    let paper: String
    let year: Int
    let arXiv: String
    let cost: String
    let summary: String
    let options: [String: Setting]
    /// Weights in the default preset of the first task.
    let parameters: Int
  }

  let tasks: [TaskLine]
  let models: [ModelLine]
  /// Where the numbers of parameters apply, as `listops, small`.
  let parametersFor: String

  /// Collects both catalogs.
  init() throws {
    tasks = try TaskCatalog.all.map { entry in
      let task = try entry.make(TaskOptions())
      return TaskLine(
        name: entry.name, title: entry.title, summary: entry.summary, classes: task.classes,
        towers: task.towers, length: task.length, vocabulary: task.vocabulary,
        options: Self.defaults(entry.settings),
        presets: entry.presets.map {
          PresetLine(name: $0.name, summary: $0.summary, comparable: $0.comparable)
        })
    }
    parametersFor = "\(Self.reference.task), \(Self.reference.preset)"
    models = try VariantCatalog.all.map { entry in
      let model = try RunConfiguration(
        .init(
          task: Self.reference.task, model: entry.name, preset: Self.reference.preset,
          dataFolder: "")
      ).model
      return ModelLine(
        name: entry.name, paper: entry.about.paper, year: entry.about.year,
        arXiv: entry.about.arXiv, cost: entry.about.cost.rawValue, summary: entry.about.summary,
        options: Self.defaults(entry.options),
        parameters: try Classifier(model, seed: 0).parameters.count)
    }
  }

  /// The task and preset that numbers of parameters are given for.
  private static let reference = (task: "listops", preset: "small")

  private static func defaults(_ settings: [SettingDeclaration]) -> [String: Setting] {
    Dictionary(uniqueKeysWithValues: settings.map { ($0.name, $0.value) })
  }

  /// The listing for people.
  var text: String {
    var lines = ["Tasks (--task), each with its presets (--preset), the first being the default"]
    for task in tasks {
      lines.append("")
      let sequences = task.towers == 1 ? "" : "\(task.towers) sequences of "
      lines.append(
        "  \(task.name)  \(task.classes) classes, \(sequences)up to \(task.length) tokens")
      lines.append("    \(task.summary)")
      let names = task.presets.map(\.name.count).max() ?? 0
      for preset in task.presets {
        let name = preset.name.padding(toLength: names, withPad: " ", startingAt: 0)
        let remark = preset.comparable ? "" : " (not comparable with published numbers)"
        lines.append("    \(name)  \(preset.summary)\(remark)")
      }
      for (key, value) in task.options.sorted(by: { $0.key < $1.key }) {
        lines.append("    --set task.\(key)=\(value)")
      }
    }
    lines += ["", "Models (--model), with the parameters they have in \(parametersFor)"]
    for model in models {
      lines.append("")
      lines.append("  \(model.name)  \(model.cost), \(formatCount(model.parameters)) parameters")
      lines.append("    \(model.summary)")
      lines.append("    \(model.paper), \(model.year), arXiv \(model.arXiv)")
      for (key, value) in model.options.sorted(by: { $0.key < $1.key }) {
        lines.append("    --set model.\(key)=\(value)")
      }
    }
    return lines.joined(separator: "\n")
  }
}
