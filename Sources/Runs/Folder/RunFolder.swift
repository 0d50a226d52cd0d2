// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Where a run stands, the one word in its file `STATUS`.
package enum RunStatus: String, Sendable, Codable, CaseIterable {
  case running
  case done
  case failed
  /// Ended early on request, to be resumed.
  case stopped
}

/// The folder that a run leaves behind.
///
///     config.json  env.json  result.json   what was asked, where it ran, what came out
///     metrics.jsonl  log.txt  events.out.tfevents.*
///     STATUS                               one word, see `RunStatus`
///     model.safetensors                    link to the best checkpoint's weights, or the last's
///     checkpoints/step-00001000/           model.safetensors, optimizer.safetensors,
///                                          trainer_state.json, COMPLETE
///     checkpoints/{last,previous,best}     relative links
///
/// A folder that is written to is locked, so that two processes cannot train in it at once. Every
/// file but the logs is replaced in one step: a killed run leaves the old or the new one, whole.
package final class RunFolder {
  /// The folder's path.
  package let path: String
  /// The checkpoint that the run saved last or goes on from, which later becomes `previous`.
  var current: String?
  private let lock: FileLock?
  private let identity: FileSystem.Identity?

  private init(path: String, lock: FileLock?) {
    self.path = path
    self.lock = lock
    identity = lock == nil ? nil : FileSystem.Identity(path)
  }

  /// What to tell the user about the lock, if it is not one as usual.
  package var lockMessage: String? { lock?.message }

  /// The path of a file in the folder, such as `file("config.json")`.
  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// The folder of the checkpoints.
  package var checkpoints: String { file("checkpoints") }

  /// Makes and locks the folder of a new run under the first free name of the form
  /// `<root>/<task>-<model>-<preset>-s<seed>[-<n>]`.
  ///
  /// Of several processes that do so at once, each gets a folder of its own.
  ///
  /// - Throws: `UserError(.cannotWrite)`.
  package static func createDefault(
    root: String = "runs", task: String, model: String, preset: String, seed: Int
  ) throws -> RunFolder {
    try createFolder(root)
    return try createBeside(
      defaultName(root: root, task: task, model: model, preset: preset, seed: seed))
  }

  /// Makes and locks the folder of a new run under the first free name of the form `<stem>[-<n>]`.
  ///
  /// - Throws: `UserError(.cannotWrite)`.
  package static func createBeside(_ stem: String) throws -> RunFolder {
    var number = 1
    while try !FileSystem.makeNewFolder(numbered(stem, number)) { number += 1 }
    return try create(numbered(stem, number))
  }

  /// The first run under a name that `createDefault` gives that was begun with the same settings, has not
  /// ended, and is not going on; nil where there is none.
  ///
  /// - Parameter ignored: keys that may differ.
  package static func unfinished(
    root: String = "runs", task: String, model: String, preset: String, seed: Int,
    settings: Settings, ignoring ignored: Set<String> = []
  ) -> RunFolder? {
    let stem = defaultName(root: root, task: task, model: model, preset: preset, seed: seed)
    var number = 1
    while FileSystem.exists(numbered(stem, number)) {
      defer { number += 1 }
      guard let folder = try? open(numbered(stem, number)), !folder.isFinished, !folder.isInUse,
        let own = try? folder.settings(), own.hasSameValues(as: settings, ignoring: ignored)
      else { continue }
      return folder
    }
    return nil
  }

  private static func defaultName(
    root: String, task: String, model: String, preset: String, seed: Int
  ) -> String { "\(root)/\(task)-\(model)-\(preset)-s\(seed)" }

  private static func numbered(_ stem: String, _ number: Int) -> String {
    number == 1 ? stem : "\(stem)-\(number)"
  }

  /// Whether a run was started in the folder.
  package static func holdsRun(_ path: String) -> Bool {
    FileSystem.exists("\(path)/config.json") || FileSystem.exists("\(path)/checkpoints/last")
  }

  /// Makes and locks the folder of a new run.
  ///
  /// - Throws: `UserError(.cannotWrite)` when the folder holds a run already or cannot be written,
  ///   `.unavailable` when another process has it locked.
  package static func create(_ path: String) throws -> RunFolder {
    try createFolder("\(path)/checkpoints")
    let run = RunFolder(path: path, lock: try FileLock("\(path)/.lock"))
    if holdsRun(path) {
      throw UserError(
        .cannotWrite, "\(path): holds a run already (\(run.status?.rawValue ?? "no status"))",
        remedy:
          "continue it with --resume \(shellQuoted(path)), or choose another folder with --output")
    }
    try run.removeLeftovers()
    try run.setStatus(.running)
    return run
  }

  /// Locks the folder of an earlier run to go on with it, and removes what a killed process left
  /// half-written.
  ///
  /// - Throws: `UserError(.missingInput)` when there is no run, `.unavailable` when another
  ///   process has it locked, `.cannotWrite`.
  package static func resume(_ path: String) throws -> RunFolder {
    _ = try open(path)
    try createFolder("\(path)/checkpoints")
    let run = RunFolder(path: path, lock: try FileLock("\(path)/.lock"))
    try run.removeLeftovers()
    try run.restoreLinks()
    try run.setStatus(.running)
    return run
  }

  /// Opens the folder of a run for reading; the run may still be going on.
  ///
  /// - Throws: `UserError(.missingInput)` when there is no run.
  package static func open(_ path: String) throws -> RunFolder {
    guard holdsRun(path) else {
      throw UserError(
        .missingInput, "\(path): \(FileSystem.exists(path) ? "holds no run" : "no such folder")",
        remedy: "give the folder that a run printed when it started")
    }
    return RunFolder(path: path, lock: nil)
  }

  /// The word in `STATUS`, if there is a known one.
  package var status: RunStatus? {
    let text = FileManager.default.contents(atPath: file("STATUS")) ?? Data()
    return RunStatus(
      rawValue: String(decoding: text, as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// Whether a process works in the folder at this moment.
  package var isInUse: Bool { FileLock.isHeld(file(".lock")) }

  /// The result; nil while there is none that can be read.
  package var result: RunResult? {
    FileManager.default.contents(atPath: file("result.json")).flatMap {
      try? SnakeCaseJSON.checked(RunResult.self, from: $0)
    }
  }

  /// Whether everything that was asked for is done: nothing is left to go on with.
  package var isFinished: Bool {
    result != nil || pretrainingResult != nil
      || status == .done && (try? settings().integer("train.steps")) == 0
  }

  /// Checks that the folder which was locked still has its name.
  ///
  /// - Throws: `UserError(.cannotWrite)` when it was moved or deleted, as may happen while it trains.
  package func checkInPlace() throws {
    guard let identity, FileSystem.Identity(path) != identity else { return }
    throw UserError(
      .cannotWrite, "\(path): the run folder was moved or deleted while the run was going on",
      remedy: "if it was moved, go on with: lra train --resume ITS-NEW-PLACE")
  }

  /// Writes the word in `STATUS`.
  package func setStatus(_ status: RunStatus) throws {
    try checkInPlace()
    try writeAtomically(Array("\(status.rawValue)\n".utf8), to: file("STATUS"))
  }

  /// Writes a value as JSON, keys sorted and in snake case, such as `result.json`.
  package func write(_ value: some Encodable, to name: String) throws {
    try checkInPlace()
    try writeAtomically(SnakeCaseJSON.encoded(value) + [UInt8(ascii: "\n")], to: file(name))
  }

  /// Writes the configuration to `config.json`.
  package func write(_ settings: Settings) throws {
    try writeAtomically(
      Array(try settings.json()) + [UInt8(ascii: "\n")], to: file("config.json"))
  }

  /// Reads `config.json`.
  ///
  /// - Throws: `UserError`, `.missingInput` when it is absent.
  package func settings() throws -> Settings {
    guard let json = FileManager.default.contents(atPath: file("config.json")) else {
      throw UserError(
        .missingInput, "\(file("config.json")): cannot be read",
        remedy: "give the folder of a run that was started with `lra train`, or restore the file: "
          + "each checkpoint holds a copy of it")
    }
    return try Settings(json: json, origin: file("config.json"))
  }

  /// Does what a run needs to begin.
  ///
  /// - Parameter fresh: whether the folder was made for it, so that it is discarded where that fails.
  package func discarded<Result>(
    ifItFails fresh: Bool, _ body: () throws -> Result
  ) rethrows -> Result {
    do {
      return try body()
    } catch {
      if fresh { discard() }
      throw error
    }
  }

  /// Removes what `create` and the log made, for a run that could not begin; what else the user has in
  /// the folder stays.
  package func discard() {
    guard (try? checkInPlace()) != nil else { return }
    for name in ["STATUS", "log.txt", ".lock"] { FileSystem.remove(file(name)) }
    for folder in [checkpoints, path] { rmdir(folder) }
  }

  /// Removes temporary files and half-written checkpoints, which is safe only under the lock.
  private func removeLeftovers() throws {
    for name in FileSystem.names(in: path) where name.contains(".tmp-") {
      FileSystem.remove(file(name))
    }
    for name in FileSystem.names(in: checkpoints) {
      let entry = "\(checkpoints)/\(name)"
      if let mark = name.range(of: ".old-") {
        // The process died between moving the old checkpoint aside and the new one into place.
        let place = "\(checkpoints)/\(name[..<mark.lowerBound])"
        FileSystem.isMissing(place)
          ? try FileSystem.move(entry, to: place) : FileSystem.remove(entry)
      } else if name.contains(".tmp-")
        || name.hasPrefix("step-") && FileSystem.isMissing("\(entry)/\(Checkpoint.marker)")
      {
        FileSystem.remove(entry)
      }
    }
  }
}
