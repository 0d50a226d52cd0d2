// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The names under which the checkpoints of a run are found.
package enum CheckpointLink: String, CaseIterable { case last, previous, best }

extension RunFolder {
  /// The name of a step's checkpoint, such as `step-00001000`.
  static func checkpointName(step: Int) -> String { "step-" + String(format: "%08d", step) }

  /// The checkpoint of a name in the folder `checkpoints`.
  package func checkpoint(_ name: String) -> Checkpoint {
    Checkpoint(path: "\(checkpoints)/\(name)")
  }

  /// The name of the checkpoint that a link points at; nil where there is no link.
  ///
  /// In a copy that was made by following links it is a folder, and its name is the link's.
  ///
  /// - Throws: `UserError(.missingInput)` when the link cannot be read.
  package func linked(_ link: CheckpointLink) throws -> String? {
    switch try FileSystem.link(place(link)) {
    case .absent: nil
    case .to(let target): target
    case .notALink: link.rawValue
    }
  }

  /// Points the links at a checkpoint that was saved just now.
  ///
  /// `best` comes first and `last` behind it: a process killed in between leaves a `last` whose state
  /// names an earlier best, and that checkpoint is still there, since what no link needs any more is
  /// deleted after all links.
  func updateLinks(_ name: String, best: Bool) throws {
    if best { try set(.best, name) }
    if let before = try current ?? linked(.last), before != name { try set(.previous, before) }
    try set(.last, name)
    try showWeights()
  }

  /// Makes `best` the checkpoint that the state of a run names.
  ///
  /// - Parameter step: the step with the best validation; nil for none so far.
  /// - Returns: what to tell the user, if something was mended.
  /// - Throws: `UserError(.badData)` when that checkpoint is gone or damaged, `.cannotWrite`.
  package func restoreBest(step: Int?) throws -> String? {
    guard let step else {
      guard try linked(.best) != nil else { return nil }
      try remove(.best)
      try showWeights()
      return nil
    }
    let name = Self.checkpointName(step: step)
    if let problem = checkpoint(name).problem() {
      throw UserError(
        .badData, "\(checkpoints)/\(name), the best checkpoint, cannot be used: \(problem)",
        remedy: "restore it from a copy, or add --forget-best: the best is then chosen among the "
          + "evaluations from here on")
    }
    let found = try linked(.best)
    if found == name { return nil }
    try set(.best, name)
    try showWeights()
    return "the link best named \(found ?? "nothing"); it is \(name) again, as the run noted"
  }

  /// Turns the folders of a copy that was made by following links (`cp -rL`, `scp -r`) into links.
  package func restoreLinks() throws {
    for link in CheckpointLink.allCases where try FileSystem.link(place(link)) == .notALink {
      let copy = checkpoint(link.rawValue)
      guard copy.problem() == nil, let step = copy.state?.step else {
        let aside = "\(place(link)).damaged"
        FileSystem.remove(aside)
        try FileSystem.move(copy.path, to: aside)
        continue
      }
      let name = Self.checkpointName(step: step)
      if checkpoint(name).problem() != nil {
        FileSystem.remove(checkpoint(name).path)
        try FileSystem.move(copy.path, to: checkpoint(name).path)
      } else {
        try remove(link)
      }
      try set(link, name)
    }
  }

  /// Deletes the checkpoints that no link needs any more; none while a link cannot be read.
  ///
  /// The best that the states of `last` and `previous` name stays too: a run that goes on from
  /// `previous`, its last checkpoint being damaged, needs the best of that time.
  func removeUnlinked() {
    guard var needed = try? CheckpointLink.allCases.compactMap({ try linked($0) }) else { return }
    needed += needed.compactMap { checkpoint($0).state?.bestStep }.map(Self.checkpointName)
    for name in FileSystem.names(in: checkpoints)
    where name.hasPrefix("step-") && !needed.contains(name) && name != current {
      FileSystem.remove("\(checkpoints)/\(name)")
    }
  }

  /// Points `model.safetensors` at the best weights, or the last where none are marked.
  private func showWeights() throws {
    let shown = try linked(.best) == nil ? CheckpointLink.last : .best
    try FileSystem.replaceLink(
      file("model.safetensors"), target: "checkpoints/\(shown.rawValue)/model.safetensors")
  }

  private func set(_ link: CheckpointLink, _ name: String) throws {
    try FileSystem.replaceLink(place(link), target: name)
  }

  /// Removes a link, or a folder in its place, at once under this name.
  private func remove(_ link: CheckpointLink) throws {
    let aside = "\(place(link)).tmp-\(getpid())"
    try FileSystem.move(place(link), to: aside)
    FileSystem.remove(aside)
  }

  private func place(_ link: CheckpointLink) -> String { "\(checkpoints)/\(link.rawValue)" }
}
