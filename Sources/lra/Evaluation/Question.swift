// SPDX-License-Identifier: Apache-2.0

import Base
import Runs
import Tasks
import Training

/// What a model is asked: a split of the run's task, or examples that the user names; and how these
/// data stand to those of the run.
struct Question {
  let source: any ExampleSource
  /// The split; nil for the user's own examples.
  let split: Split?
  /// The file or folder of the user's own examples.
  let input: String?
  let hash: String
  let provenance: String
  let runHash: String?
  let relation: DataRelation

  /// A split, for which all data of the task must be there: they are held against the run's.
  init(_ task: any ArenaTask, _ split: Split, run folder: String) throws {
    source = try task.examples(split)
    (self.split, input) = (split, nil)
    hash = try task.contentHash()
    provenance = try task.provenance()
    runHash = try RunFolder.open(folder).dataHash()
    relation = DataRelation(hash, toRun: runHash)
  }

  /// The examples of a file or folder, for which nothing else need be there.
  init(_ task: any ArenaTask, input: String, run folder: String) throws {
    let given = try task.examples(at: input)
    source = given.source
    (split, self.input) = (nil, input)
    hash = given.contentHash
    provenance = given.provenance
    runHash = try RunFolder.open(folder).dataHash()
    relation = .other
  }

  /// What is asked, as `test` or the name of a file.
  var name: String { split?.rawValue ?? input ?? "" }

  /// Where the answers are kept, apart from those to the run's own data.
  func answersPath(in folder: String, _ checkpoint: CheckpointChoice) -> String {
    guard let split else {
      return PredictionFile.path(in: folder, input: hash, checkpoint)
    }
    return relation == .other
      ? PredictionFile.path(in: folder, split, checkpoint, otherData: hash)
      : PredictionFile.path(in: folder, split, checkpoint)
  }

  /// What to tell before the answers are worked out.
  ///
  /// - Parameter keepsAnswers: whether they are written to the run's folder.
  func warning(keepsAnswers: Bool) -> String? {
    if input != nil { return nil }
    return switch relation {
    case .same: nil
    case .other:
      "other data than the run's: content \(hash), \(provenance); the run's is \(runHash ?? ""). "
        + (keepsAnswers ? "The answers are kept apart; " : "")
        + "--data names the run's data folder"
    case .unknown: "the run does not say what its data were; these are \(provenance)"
    }
  }
}
