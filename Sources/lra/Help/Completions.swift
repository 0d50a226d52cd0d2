// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Models
import Tasks
import Training

extension CompletionKind {
  /// The names of the tasks.
  static var tasks: CompletionKind { .list(TaskCatalog.all.map(\.name)) }

  /// The names of the models.
  static var models: CompletionKind { .list(VariantCatalog.all.map(\.name)) }

  /// The names of all tasks' presets.
  static var presets: CompletionKind {
    .list(Set(TaskCatalog.all.flatMap { $0.presets.map(\.name) }).sorted())
  }

  /// The names of the models, and the keys of all settings.
  static var explained: CompletionKind {
    .list(
      VariantCatalog.all.map(\.name) + ["settings"]
        + Set(SettingCatalog.groups.flatMap { $0.settings.map(\.key) }).sorted())
  }
}
