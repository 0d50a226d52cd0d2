import ArgumentParser
import Base
import Models
import Tasks

/// `lra list`: the tasks with their presets, and the models with their settings.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the tasks with their presets, and the models with their settings.")

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
        options: Dictionary(uniqueKeysWithValues: entry.settings.map { ($0.key, $0.value) }),
        presets: entry.presets.map {
          PresetLine(name: $0.name, summary: $0.summary, comparable: $0.comparable)
        })
    }
    let reference = try Self.reference()
    parametersFor = "\(reference.task.name), \(reference.preset.name)"
    models = try VariantCatalog.all.map { entry in
      let model = try Self.model(entry.name, reference.task, reference.preset)
      return ModelLine(
        name: entry.name, paper: entry.about.paper, year: entry.about.year,
        arXiv: entry.about.arXiv, cost: entry.about.cost.rawValue, summary: entry.about.summary,
        options: try entry.options(),
        parameters: try Classifier(model, seed: 0).parameters.count)
    }
  }

  /// The size that numbers of parameters are given for.
  private static func reference() throws -> (task: TaskEntry, preset: Preset) {
    let task = try TaskCatalog.named("listops")
    return (task, try task.preset("small"))
  }

  /// One model in a preset's size.
  private static func model(
    _ name: String, _ entry: TaskEntry, _ preset: Preset
  ) throws -> ModelConfiguration {
    var settings = Settings()
    for value in preset.values(for: name) {
      settings.declare(value.key, value.value, origin: value.source)
    }
    let task = try entry.make(TaskOptions())
    var model = ModelConfiguration(
      name: name, layers: try settings.integer("model.layers"),
      width: try settings.integer("model.width"), heads: try settings.integer("model.heads"),
      feedForward: try settings.integer("model.feed-forward"), length: task.length,
      vocabulary: task.vocabulary, classes: task.classes)
    model.towers = task.towers
    model.positions = try settings.choice("model.positions")
    model.pooling = try settings.choice("model.pooling")
    model.headHidden = try settings.integer("model.head-hidden")
    for key in try VariantCatalog.named(name).options().keys {
      model.options[key] = settings["model.\(key)"]
    }
    return model
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
