// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

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
      \(configuration.taskName) · \(model.name) · \(trainer.model.parameters.count) parameters · \
      \(data.train.count) training examples up to \(model.length) tokens
      \(settings.steps) steps of \(settings.batch) examples on \(Workers.shared.count) threads\(begin)
      run folder \(folder.path)
      """
  }

  /// What is said with the first estimate of the time.
  var advice: String {
    """

    Ctrl-C saves and stops; go on with: \(programWord) train --resume \(shellQuoted(folder.path))
    other sizes: --preset quick (minutes), small, paper (hours); \(programWord) list shows them
    """
  }
}
