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

    init(_ entry: TaskEntry) throws {
      let task = try entry.make(TaskOptions())
      (name, title, summary) = (entry.name, entry.title, entry.summary)
      (classes, towers, length) = (task.classes, task.towers, task.length)
      vocabulary = task.vocabulary
      options = Listing.defaults(entry.settings)
      presets = entry.presets.map {
        PresetLine(name: $0.name, summary: $0.summary, comparable: $0.comparable)
      }
    }

    /// The task for people.
    var lines: [String] {
      let sequences = towers == 1 ? "" : "\(towers) sequences of "
      let names = presets.map(\.name.count).max() ?? 0
      return [
        "\(name)  \(classes) classes, \(sequences)up to \(length) tokens", "  \(summary)",
      ]
        + presets.map { preset in
          let name = preset.name.padding(toLength: names, withPad: " ", startingAt: 0)
          let remark = preset.comparable ? "" : " (not comparable with published numbers)"
          return "  \(name)  \(preset.summary)\(remark)"
        }
        + options.sorted { $0.key < $1.key }.map { "  --set task.\($0.key)=\($0.value)" }
    }
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
    tasks = try TaskCatalog.all.map(TaskLine.init)
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

  fileprivate static func defaults(_ settings: [SettingDeclaration]) -> [String: Setting] {
    Dictionary(uniqueKeysWithValues: settings.map { ($0.name, $0.value) })
  }

  /// The listing for people.
  var text: String {
    var lines = ["Tasks (--task), each with its presets (--preset), the first being the default"]
    for task in tasks { lines += [""] + task.lines.map { "  " + $0 } }
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
