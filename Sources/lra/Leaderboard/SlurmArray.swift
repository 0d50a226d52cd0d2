// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Reports

/// A leaderboard's grid as an array of Slurm jobs, one training an element.
///
/// ```
/// FOLDER/submit.sh    hands the arrays in, each of at most as many elements as clusters take
/// FOLDER/array.sh     one element: trains, or goes on; asked to stop it saves, and is queued again
/// FOLDER/trainings    a line for each training: its folder, a tab, its flags
/// ```
/// The run folders are those of `lra leaderboard --output FOLDER`, which may work on them too.
struct SlurmArray {
  /// Slurm's own limit, `MaxArraySize`, is 1001 unless a cluster's administrators change it.
  static let mostElements = 1000

  let cells: [LeaderboardCell]
  let folder: String
  let dataFolder: String
  let threads: Int
  /// `#SBATCH --time`, minutes.
  let minutes: Int

  /// Writes the three files.
  ///
  /// - Throws: `UserError(.cannotWrite)`.
  func write() throws {
    try createFolder(folder)
    for (name, text) in [
      ("trainings", trainings), ("array.sh", script), ("submit.sh", submission),
    ] {
      try writeAtomically(Array(text.utf8), to: "\(folder)/\(name)")
    }
  }

  private var path: String { URL(fileURLWithPath: folder).standardizedFileURL.path }

  private var trainings: String {
    cells.map { cell in
      let flags = cell.flags(steps: nil).map(shellQuoted).joined(separator: " ")
      return "\(cell.folder(steps: nil))\t\(flags)\n"
    }.joined()
  }

  private var submission: String {
    let arrays = stride(from: 0, to: cells.count, by: Self.mostElements).map { first in
      let last = min(cells.count - first, Self.mostElements) - 1
      return "sbatch --array=0-\(last) array.sh \(first)\n"
    }
    return """
      #!/bin/sh
      # Hands \(cells.count) trainings in. Those that are done end at once, so it may be typed again.
      set -eu
      cd \(shellQuoted(path))
      mkdir -p output
      \(arrays.joined())
      """
  }

  private var script: String {
    """
    #!/bin/bash
    #SBATCH --job-name=lra
    #SBATCH --time=\(minutes)
    #SBATCH --cpus-per-task=\(threads)
    #SBATCH --signal=B:USR1@120
    #SBATCH --requeue
    #SBATCH --open-mode=append
    #SBATCH --output=output/%A_%a.txt
    # One training of the file `trainings`; $1 is the place of the array's first.
    set -u
    cd \(shellQuoted(path)) || exit 73
    IFS=$'\\t' read -r name flags < <(sed -n "$((SLURM_ARRAY_TASK_ID + ${1:-0} + 1))p" trainings)
    if [ -e "$name/config.json" ]; then
      set -- --resume "$PWD/$name"
    else
      eval "set -- $flags"
      set -- "$@" --output "$PWD/$name"
    fi
    \(shellQuoted(Self.program)) train "$@" --data \(shellQuoted(dataPath)) --threads \(threads) &
    training=$!
    # Two minutes before its time is up, and when the job is taken away: save, and say so by status 75.
    trap 'kill -TERM "$training" 2>/dev/null' USR1 TERM
    wait "$training"
    status=$?
    # A signal ends the waiting, not the training.
    while kill -0 "$training" 2>/dev/null; do
      wait "$training"
      status=$?
    done
    if [ "$status" -eq 75 ]; then scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"; fi
    exit "$status"

    """
  }

  private var dataPath: String { URL(fileURLWithPath: dataFolder).standardizedFileURL.path }

  /// This program, which the cluster's hosts must find at the same place.
  private static var program: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? programWord
  }
}
