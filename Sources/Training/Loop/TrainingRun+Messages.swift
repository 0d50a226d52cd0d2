// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Tasks

extension TrainingRun {
  /// Warns, if there is something to warn of.
  func warn(_ message: String?) {
    if let message { console.printMessage("warning: \(message)") }
  }

  /// What is said before the first step.
  func introduction(_ data: RunData) -> String {
    let model = configuration.model
    let begin = state.step == 0 ? "" : "; going on after step \(state.step)"
    return """
      \(configuration.taskName) · \(model.name) · \
      \(counted(trainer.model.parameters.count, "parameter")) · \
      \(counted(data.train.count, "training example")) up to \(counted(model.length, "token"))
      \(counted(settings.steps, "step")) of \(counted(settings.batch, "example")) on \
      \(group.description)\(begin)
      run folder \(folder.path)
      """
  }

  /// What is said with the first estimate of the time.
  var advice: String {
    """

    Ctrl-C saves and stops; continue with: \(programWord) train --resume \(shellQuoted(folder.path))
    presets: \(presets); \(programWord) list shows what they are
    """
  }

  /// The task's presets, that of the run first.
  private var presets: String {
    let own = configuration.settings["run.preset"]?.description ?? ""
    let all = (try? TaskCatalog.named(configuration.taskName))?.presets.map(\.name) ?? []
    return ([own] + all.filter { $0 != own }).joined(separator: ", ")
  }
}
