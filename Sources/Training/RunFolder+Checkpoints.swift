import Base
import Foundation

/// Which checkpoint of a run to read.
public enum CheckpointChoice: String, Sendable, CaseIterable, Codable {
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
  public func saveCheckpoint(
    step: Int, best: Bool, files: [String: Checkpoint.Content]
  ) throws -> Checkpoint {
    let name = "step-" + String(format: "%08d", step)
    let checkpoint = Checkpoint(path: "\(checkpoints)/\(name)")
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
  public func loadCheckpoint(
    _ choice: CheckpointChoice
  ) throws -> (checkpoint: Checkpoint, message: String?) {
    var problems: [String] = []
    for name in candidates(choice) {
      let checkpoint = Checkpoint(path: "\(checkpoints)/\(name)")
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
      remedy: "restore the files from a copy, or start the run anew in another folder")
  }

  /// Folder names in the order in which to try them.
  private func candidates(_ choice: CheckpointChoice) -> [String] {
    if choice == .best, let best = linked("best") { return [best] }
    let folders = FileSystem.names(in: checkpoints)
      .filter { $0.hasPrefix("step-") && !$0.contains(".") }
    var names: [String] = []
    for name in [linked("last"), linked("previous")].compactMap(\.self) + folders.reversed()
    where !names.contains(name) {
      names.append(name)
    }
    return names
  }

  private func linked(_ link: String) -> String? {
    FileSystem.target(ofLink: "\(checkpoints)/\(link)")
  }

  private func updateLinks(_ name: String, best: Bool) throws {
    // `previous` first: a process killed in between leaves two links to one whole checkpoint.
    if let before = current ?? linked("last"), before != name {
      try FileSystem.replaceLink("\(checkpoints)/previous", target: before)
    }
    try FileSystem.replaceLink("\(checkpoints)/last", target: name)
    if best { try FileSystem.replaceLink("\(checkpoints)/best", target: name) }
    let shown = linked("best") == nil ? "last" : "best"
    try FileSystem.replaceLink(
      file("model.safetensors"), target: "checkpoints/\(shown)/model.safetensors")
  }

  private func removeUnlinked() {
    let needed = ["last", "previous", "best"].compactMap(linked)
    for name in FileSystem.names(in: checkpoints)
    where name.hasPrefix("step-") && !needed.contains(name) {
      FileSystem.remove("\(checkpoints)/\(name)")
    }
  }
}
