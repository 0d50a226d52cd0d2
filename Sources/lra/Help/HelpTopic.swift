// SPDX-License-Identifier: Apache-2.0

import Base

/// What `lra help` explains besides the commands: what they have in common.
enum HelpTopic: String, CaseIterable {
  case settings, sweeps, signals, environment, completion
  case exitStatus = "exit-status"

  /// The topic in words.
  var title: String { rawValue.replacing("-", with: " ") }

  /// The explanation, lines of up to 80 characters but for the table of settings.
  var text: String {
    switch self {
    case .settings:
      """
      --set KEY=VALUE gives a run another value than its preset; it may be repeated.
      lra help KEY says what a key may be, and what each preset gives it.

      \(SettingTables().text)
      """
    case .sweeps:
      """
      lra leaderboard --models s4d,linear --set train.learning-rate=1e-3,3e-3,1e-2

      A list after --set is one more side of the grid, so several lists are a grid.
      The names of the runs carry the values. The report orders them by validation
      accuracy, names the one that is best there, and plots a number against it.
      """
    case .signals:
      """
      Ctrl-C (also TERM, HUP, USR2, XCPU, PWR) finishes the step, saves, says how to
      go on, and ends with status 75; a second one ends at once. USR1 saves a
      checkpoint and goes on. lra train --resume RUN continues to the same bytes as
      without the interruption.
      """
    case .environment:
      table([
        ("LRA_THREADS", "threads, where --threads is not given; else all usable cores"),
        ("LRA_DATA", "the folder of the data, where --data is not given; else data"),
        ("LRA_ISA", "instructions of products: bf16, avx512 or avx2; same bits"),
        ("LRA_TDP", "the processor's watts, for energy without counters (--tdp)"),
        ("LRA_GRID", "the grid, for CO2, where --grid is not given; LRA_PUE and"),
        ("LRA_PRICE", "likewise the building's overhead and the price of a kWh"),
        ("NO_COLOR", "no colours"), ("SOURCE_DATE_EPOCH", "the date that a report bears"),
      ])
    case .completion:
      """
      make install puts the completions of bash, zsh and fish where they are found.
      By hand:

      lra --generate-completion-script bash >\\
        ~/.local/share/bash-completion/completions/lra
      """
    case .exitStatus:
      table([("0", "done")] + UserError.Kind.allCases.map { ("\($0.rawValue)", $0.meaning) })
    }
  }

  private func table(_ rows: [(String, String)]) -> String {
    formatTable(rows.map { [$0.0, $0.1] }, leading: 2)
  }
}
