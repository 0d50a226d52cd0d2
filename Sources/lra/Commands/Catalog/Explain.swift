// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Models
import Tasks

/// `lra explain`: one model, one setting, or all settings.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explain a model, a setting, or all settings.",
    usage: "lra explain MODEL|KEY|settings [OPTION ...]",
    discussion: """
      lra explain s4d
      lra explain train.warmup

      Of a model: its paper, its settings, and where it differs from the paper. Of a setting: its \
      default, what it may be, and the value and source of each preset.
      """)

  @Argument(
    help: "A model, as linformer; a key, as train.warmup; or settings, for all keys.",
    completion: .explained)
  var subject: String
  @Flag(help: "Print one JSON object.")
  var json = false
  @Flag(help: "With settings: print the document docs/settings.md.")
  var markdown = false

  /// - Throws: `ValidationError` for flags that do not go with the subject.
  func validate() throws {
    let isList = subject == "settings"
    if markdown && !isList { throw ValidationError("--markdown goes with: lra explain settings") }
    if json && isList { throw ValidationError("lra list --json prints all settings as JSON") }
  }

  func run() throws {
    if subject == "settings" {
      return try printResult(markdown ? SettingTables().markdown : SettingTables().text)
    }
    if subject.contains(".") {
      let explanation = try SettingExplanation(subject)
      return try printResult(json ? try jsonText(explanation) : explanation.text)
    }
    let explanation = try Explanation(VariantCatalog.named(subject))
    try printResult(json ? try jsonText(explanation) : explanation.text)
  }
}

/// Everything known of one model, as printed by `lra explain --json`.
struct Explanation: Encodable {
  struct Option: Encodable {
    let key: String
    let `default`: Setting
    let help: String
  }

  /// What a preset sets for this model alone.
  struct PresetValues: Encodable {
    let task: String
    let preset: String
    let values: [Value]
  }

  struct Value: Encodable {
    let key: String
    let value: Setting
    let source: String
  }

  let name: String
  let summary: String
  let paper: String
  let year: Int
  let arXiv: String
  let cost: String
  let options: [Option]
  let deviations: [String]
  let presets: [PresetValues]
  /// Where the formula and the tensors of a checkpoint are described.
  let document: String

  /// Collects what the catalogs of variants and tasks say.
  init(_ entry: VariantEntry) throws {
    let about = entry.about
    name = entry.name
    summary = about.summary
    paper = about.paper
    year = about.year
    arXiv = about.arXiv
    cost = about.cost.rawValue
    options = entry.options.map { Option(key: $0.key, default: $0.value, help: $0.help) }
    deviations = about.deviations
    document = "docs/models.md#\(entry.name)"
    presets = TaskCatalog.all.flatMap { task in
      task.presets.compactMap { preset in
        preset.overrides[entry.name].map { own in
          PresetValues(
            task: task.name, preset: preset.name,
            values: own.map { Value(key: $0.key, value: $0.value, source: $0.source) })
        }
      }
    }
  }

  /// Whether the model is one's own and no document describes it.
  private var isDraft: Bool { arXiv == VariantDescription.unpublished }

  private var source: String { isDraft ? paper : "\(paper), \(year), arXiv \(arXiv)" }

  /// The explanation for people.
  var text: String {
    var lines = [
      "\(name)  \(cost)", "  \(summary)", "  \(source)", "", "Settings",
    ]
    lines +=
      options.isEmpty
      ? ["  none of its own"]
      : table(options.map { ["--set \($0.key)=\($0.default)", $0.help] }, indent: 2)
    if !deviations.isEmpty { lines += ["", "Where it differs"] + deviations.map { "  - \($0)" } }
    if !presets.isEmpty { lines += ["", "Values that presets give it"] }
    for preset in presets {
      lines.append("  \(preset.task), \(preset.preset)")
      lines += table(preset.values.map { ["\($0.key)=\($0.value)", $0.source] }, indent: 4)
    }
    if !isDraft { lines += ["", "Formula, tensors and initial values: \(document)"] }
    return lines.joined(separator: "\n")
  }

  private func table(_ rows: [[String]], indent: Int) -> [String] {
    formatTable(rows, leading: 2).split(separator: "\n").map {
      String(repeating: " ", count: indent) + $0
    }
  }
}
