// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Tasks
import Training

/// One setting, as printed by `lra explain train.warmup`: what it is, and where presets get it from.
struct SettingExplanation: Encodable {
  /// A declaration, and whose it is.
  struct Declared: Encodable {
    /// Nil where every run has it.
    let task: String?
    /// Nil where every model has it.
    let model: String?
    let `default`: Setting
    let range: String
    let help: String
  }

  /// What a preset gives it.
  struct PresetValue: Encodable {
    let task: String
    let preset: String
    /// Nil for all models, else the one that has a value of its own.
    let model: String?
    let value: Setting
    let source: String
  }

  let key: String
  let declarations: [Declared]
  let presets: [PresetValue]

  /// Collects what is known of a key.
  ///
  /// - Throws: `UserError(.usage)` with the nearest keys for one that does not exist.
  init(_ key: String) throws {
    self.key = key
    let groups = SettingCatalog.groups
    declarations = groups.flatMap { group in
      group.settings.filter { $0.key == key }.map { setting in
        Declared(
          task: group.owner.task, model: group.owner.model, default: setting.value,
          range: setting.range, help: setting.help)
      }
    }
    guard !declarations.isEmpty else {
      throw UserError(
        .usage, "there is no setting \"\(key)\"",
        remedy: remedy(unknown: key, among: groups.flatMap { $0.settings.map(\.key) }))
    }
    presets = TaskCatalog.all.flatMap { task in
      task.presets.flatMap { Self.values(of: key, in: $0, of: task.name) }
    }
  }

  private static func values(of key: String, in preset: Preset, of task: String) -> [PresetValue] {
    let own = VariantCatalog.all.map { ($0.name, preset.overrides[$0.name] ?? []) }
    return ([(nil, preset.values)] + own).flatMap { model, values in
      values.filter { $0.key == key }.map {
        PresetValue(
          task: task, preset: preset.name, model: model, value: $0.value, source: $0.source)
      }
    }
  }

  /// The explanation for people.
  var text: String {
    var lines: [String] = []
    for declared in declarations {
      let owner = (declared.model ?? declared.task).map { "  of \($0)" } ?? ""
      lines += [
        "\(key)\(owner)", "  \(declared.help)",
        "  default \(printed(declared.default)); \(declared.range)", "",
      ]
    }
    guard !presets.isEmpty else {
      return (lines + ["No preset gives it a value."]).joined(separator: "\n")
    }
    lines.append("Values that presets give it")
    let rows = presets.map { value in
      ["\(value.task), \(value.preset)", value.model ?? "", "\(value.value)", value.source]
    }
    lines += formatTable(rows, leading: 4).split(separator: "\n").map { "  \($0)" }
    return lines.joined(separator: "\n")
  }
}

/// All settings, as printed by `lra explain settings`.
struct SettingTables {
  private let groups = SettingCatalog.groups

  /// For people: a table for each owner.
  var text: String {
    groups.map { group in
      let rows = group.settings.map { [$0.key, printed($0.value), $0.range, $0.help] }
      let table = formatTable(rows, leading: 4).split(separator: "\n").map { "  \($0)" }
      return ([group.owner.title] + table).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  /// For the manual page: each setting with what is to be said of it on one line.
  var manual: [(title: String, settings: [(key: String, text: String)])] {
    groups.map { group in
      let settings = group.settings.map { setting in
        (setting.key, "\(setting.help); default \(printed(setting.value)); \(setting.range)")
      }
      return (group.owner.title, settings)
    }
  }

  /// The document `docs/settings.md`.
  var markdown: String {
    let head = """
      # Settings

      Every key of a run's configuration, generated from the declarations in the source by
      `lra explain settings --markdown`. `--set KEY=VALUE` sets one; `lra explain KEY` says which value
      each preset gives it, and from where.
      """
    let sections = groups.filter { !$0.owner.isDraft }.map { group in
      let rows = group.settings.map { setting in
        "| `\(setting.key)` | \(cell(setting.value)) | \(setting.range) | \(setting.help) |"
      }
      let table = ["| key | default | values | |", "|---|---|---|---|"] + rows
      return "## \(group.owner.title)\n\n" + table.joined(separator: "\n")
    }
    return ([head] + sections).joined(separator: "\n\n")
  }

  private func cell(_ value: Setting) -> String {
    value == .text("") ? "" : "`\(printed(value))`"
  }
}

/// A default for people, an empty text as such.
private func printed(_ value: Setting) -> String {
  value == .text("") ? "empty" : value.description
}

extension SettingGroup.Owner {
  fileprivate var task: String? {
    if case .task(let name) = self { name } else { nil }
  }

  fileprivate var model: String? {
    if case .model(let name) = self { name } else { nil }
  }

  /// Whether it is a model that no document need have.
  fileprivate var isDraft: Bool {
    model.flatMap { try? VariantCatalog.named($0) }?.about.isDraft ?? false
  }

  fileprivate var title: String {
    switch self {
    case .everyRun: "Every run"
    case .task(let name): "The task \(name)"
    case .model(let name): "The model \(name)"
    }
  }
}
