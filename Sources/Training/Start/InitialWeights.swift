// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Runs

/// What a run started from, `initial.json`: the source of its first weights, and which they are.
package struct InitialWeights: Codable, Sendable, Equatable {
  package static let fileName = "initial.json"

  /// The run or file as the user named it.
  package let source: String
  /// The file that was read, from the root of the file system.
  package let path: String
  /// The SHA-256 of that file.
  package let sha256: String
  /// What the source had learned of inputs alone, `masked` or `causal`; nil for nothing, or where its
  /// folder does not say.
  package let pretraining: String?
  /// The weights with the source's values.
  package let copied: [String]
  /// The weights with values drawn from the seed, and why.
  package let left: [WeightTransfer.Left]
  /// Tensors of the source that have no place in the model.
  package let unused: [String]

  init(_ source: String, _ given: GivenWeights, _ transfer: WeightTransfer) {
    self.source = source
    path = URL(fileURLWithPath: given.file).standardizedFileURL.path
    sha256 = given.hash
    pretraining = Self.pretraining(of: given.file)
    (copied, left, unused) = (transfer.copied, transfer.left, transfer.unused)
  }

  /// What a run has noted; nil where it has not.
  static func noted(in folder: RunFolder) throws -> InitialWeights? {
    let file = folder.file(fileName)
    guard FileSystem.exists(file) else { return nil }
    return try SnakeCaseJSON.decoded(InitialWeights.self, from: Data(readFile(file)))
  }

  /// Looks at the settings beside the weights, and at what their run in turn began with.
  private static func pretraining(of file: String) -> String? {
    let folder = parentFolder(of: file)
    guard let own = try? RunFolder.open(folder), let settings = try? own.settings() else {
      return nil
    }
    let read = try? PretrainingSettings(settings)
    if let objective = read?.ofInputs { return objective.rawValue }
    // A checkpoint's run is two folders above.
    return [folder, parentFolder(of: parentFolder(of: folder))].lazy
      .compactMap { try? RunFolder.open($0) }
      .compactMap { try? noted(in: $0) }
      .compactMap(\.pretraining).first
  }

  /// What is told when a training starts.
  package var summary: String {
    var text =
      "starting from \(copied.count) of \(counted(copied.count + left.count, "tensor")) in "
      + "\(source), SHA-256 \(sha256.prefix(12))…"
    if !left.isEmpty {
      text += "\nnot copied: " + Self.list(left.map { "\($0.name) (\($0.reason))" })
    }
    if !unused.isEmpty { text += "\nwithout a place here: " + Self.list(unused) }
    return text
  }

  private static func list(_ items: [String]) -> String {
    let shown = 4
    let more = items.count - shown
    return items.prefix(shown).joined(separator: "; ")
      + (more > 0 ? "; and \(more) more, see \(fileName)" : "")
  }
}

extension TrainingRun {
  /// The run or file with the first weights; empty to draw them.
  private var initialSource: String {
    if configuration.pretraining.pretrainEpochs > 0 { return folder.file(Self.pretrainingFolder) }
    return configuration.start.initial == StartSettings.teacher
      ? configuration.distillation.teacher : configuration.start.initial
  }

  /// Gives a run that has taken no step the weights that it is to start from.
  ///
  /// - Throws: `UserError` where the source cannot be used, or is not what it was when the run began.
  func takeInitialWeights() throws {
    let source = initialSource
    guard !source.isEmpty, !trainer.hasCheckpoint else { return }
    let given = try GivenWeights(source, key: "train.initial")
    if let before = try InitialWeights.noted(in: folder), before.sha256 != given.hash {
      throw UserError(
        .badData,
        "\(source): the weights are not those that the run began with: SHA-256 \(given.hash), but "
          + "\(folder.file(InitialWeights.fileName)) says \(before.sha256)",
        remedy: "put the file back, or start another run")
    }
    let transfer = try trainer.model.copyWeights(given.tensors, from: given.file)
    let initial = InitialWeights(source, given, transfer)
    console.printMessage(initial.summary)
    initialWeights = initial
  }
}
