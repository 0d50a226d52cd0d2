// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Which checkpoint of a run to read.
package enum CheckpointChoice: String, Codable, SettingChoice {
  /// The newest one, or where it is damaged the newest that is whole.
  case last
  /// The one with the best validation accuracy; in a run that marked none, the last.
  case best
}

extension RunFolder {
  /// Saves a checkpoint, makes it `last`, and deletes those that no link needs any more.
  ///
  /// The files go into a temporary folder that is renamed when it is complete and on the disk, so
  /// a process killed at any moment leaves the earlier checkpoints usable.
  ///
  /// - Parameters:
  ///   - step: optimizer steps done, counted from 1.
  ///   - best: whether it is the best so far.
  ///   - files: contents by file name.
  /// - Throws: `UserError(.cannotWrite)`; the earlier checkpoints are then still in place.
  @discardableResult
  package func saveCheckpoint(
    step: Int, best: Bool, files: [String: [UInt8]]
  ) throws -> Checkpoint {
    try checkInPlace()
    let name = Self.checkpointName(step: step)
    let checkpoint = checkpoint(name)
    let temporary = "\(checkpoint.path).tmp-\(getpid())"
    let aside = "\(checkpoint.path).old-\(getpid())"
    do {
      try Checkpoint.write(files, to: temporary)
    } catch {
      FileSystem.remove(temporary)
      throw error
    }
    // A folder cannot replace a full one, which a run that was resumed further back may find.
    if FileSystem.exists(checkpoint.path) { try FileSystem.move(checkpoint.path, to: aside) }
    try FileSystem.move(temporary, to: checkpoint.path)
    FileSystem.remove(aside)
    // Links must not reach the disk before what they point at.
    try FileSystem.synchronize(checkpoints)
    try updateLinks(name, best: best)
    try FileSystem.synchronize(checkpoints)
    current = name
    removeUnlinked()
    return checkpoint
  }

  /// Finds a checkpoint and verifies its sizes and checksums.
  ///
  /// - Returns: the checkpoint, and a message for the user when it is not the one asked for.
  /// - Throws: `UserError`, `.missingInput` when the run has saved none, `.badData` with a list of
  ///   what is wrong with each when none is usable.
  package func loadCheckpoint(
    _ choice: CheckpointChoice
  ) throws -> (checkpoint: Checkpoint, message: String?) {
    var problems: [String] = []
    for name in try candidates(choice) {
      let checkpoint = checkpoint(name)
      guard let problem = checkpoint.problem() else {
        if choice == .last { current = name }
        let message =
          problems.isEmpty
          ? nil : "\(problems.joined(separator: "; ")); using \(name) instead"
        return (checkpoint, message)
      }
      problems.append("checkpoint \(name): \(problem)")
    }
    if problems.isEmpty {
      throw UserError(
        .missingInput, "\(path): the run has saved no checkpoint yet",
        remedy: "start it anew in another folder, or wait for its first checkpoint")
    }
    throw UserError(
      .badData, "\(path): no usable checkpoint: \(problems.joined(separator: "; "))",
      remedy: choice == .best
        ? "restore the files from a copy, or take the last weights with --checkpoint last"
        : "restore the files from a copy, or start the run anew in another folder")
  }

  /// The step of the newest checkpoint, which need not be undamaged; nil without one.
  package var lastStep: Int? {
    try? candidates(.last).map(checkpoint).first { FileSystem.exists($0.file(Checkpoint.marker)) }?
      .step
  }

  /// Folder names in the order in which to try them.
  private func candidates(_ choice: CheckpointChoice) throws -> [String] {
    let folders = FileSystem.names(in: checkpoints)
      .filter { $0.hasPrefix("step-") && !$0.contains(".") }
    var names: [String] = []
    for name in try [linked(.last), linked(.previous)].compactMap(\.self) + folders.reversed()
    where !names.contains(name) {
      names.append(name)
    }
    if choice == .best, let best = try best(newestFirst: names) { return [best] }
    return names
  }

  /// The best checkpoint: that of the link, unless the run's latest state names another.
  ///
  /// A link that is newer than the state was set by a process that was ended before it set `last`.
  private func best(newestFirst names: [String]) throws -> String? {
    let link = try linked(.best)
    let state = names.lazy.compactMap { self.checkpoint($0).state }.first
    guard let state, let step = state.bestStep else { return link }
    if let link, checkpoint(link).step == step || checkpoint(link).step > state.step {
      return link
    }
    return Self.checkpointName(step: step)
  }
}
