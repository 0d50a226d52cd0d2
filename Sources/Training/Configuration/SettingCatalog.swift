// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Tasks

/// Settings that are declared together: of every run, of one task, or of one model.
package struct SettingGroup: Sendable {
  /// Whose settings they are.
  package enum Owner: Sendable, Equatable {
    case everyRun
    case task(String)
    case model(String)
  }

  /// Whose settings they are.
  package let owner: Owner
  /// What is declared.
  package let settings: [SettingDeclaration]
}

/// Every setting there is, as it is declared where it is used.
package enum SettingCatalog {
  /// What every run has, in the order in which it is listed.
  package static var ofEveryRun: [SettingDeclaration] {
    RunNotes.declarations + TaskSettings.declarations + ModelSettings.declarations
      + TrainingSettings.declarations + StartSettings.declarations
      + DistillationSettings.declarations
      + PretrainingSettings.declarations + PruningSettings.declarations
      + QuantisationSettings.declarations + ExitSettings.declarations
  }

  /// All settings; those of every run first, then those that single tasks and models have.
  package static var groups: [SettingGroup] {
    let tasks = TaskCatalog.all.map {
      SettingGroup(owner: .task($0.name), settings: $0.settings)
    }
    let models = VariantCatalog.all.map {
      SettingGroup(owner: .model($0.name), settings: $0.options)
    }
    return [SettingGroup(owner: .everyRun, settings: ofEveryRun)]
      + (tasks + models).filter { !$0.settings.isEmpty }
  }
}

/// What a run notes of itself, section `run` of a configuration.
private struct RunNotes: SettingSection {
  static let section = "run"

  @Knob("the preset that the run began from; --preset chooses it") var preset = ""
  @Knob("noted by the run: whether its result may stand beside published ones")
  var comparable = false
  @Knob("noted by the run: the keys whose values are not the preset's") var changed = ""
}
