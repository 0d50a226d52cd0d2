// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import Runs
import Tasks

/// The model that another one learns from, with the weights of a run's best checkpoint.
///
/// Its passes are those of an evaluation in fp32: nothing is dropped, and nothing is recorded.
package struct Teacher {
  /// What a run notes of its teacher, `teacher.json`.
  package struct Note: Codable, Sendable, Equatable {
    package static let fileName = "teacher.json"

    /// The run as the user named it.
    package let source: String
    /// The same from the root of the file system.
    package let path: String
    /// The teacher's model.
    package let model: String
    /// The SHA-256 of its weights.
    package let sha256: String
  }

  /// What is noted of it.
  package let note: Note
  /// The content hash of the data that it was trained on, where its run says so.
  let dataHash: String?
  let model: Classifier

  /// Reads the teacher of a run.
  ///
  /// - Parameter noted: what the run has noted before, if it goes on.
  /// - Throws: `UserError` where the teacher cannot be read, has another task, does not fit the student,
  ///   or is not what was noted.
  package init(_ student: RunConfiguration, noted: Note? = nil) throws {
    let source = student.distillation.teacher
    // A run may go on from another working folder.
    let path = FileSystem.exists(source) ? source : noted?.path ?? source
    guard FileSystem.isFolder(path) || !FileSystem.exists(path) else {
      throw UserError(
        .usage, "train.teacher: \(path) is a file, which does not say what model it is of",
        remedy: "name the folder of the teacher's run")
    }
    let folder = try RunFolder.open(path)
    let configuration = try RunConfiguration(folder.settings(), dataFolder: student.dataFolder)
    try Self.requireFit(configuration, student, path)
    let weights = try GivenWeights(path, key: "train.teacher")
    if let noted, noted.sha256 != weights.hash {
      throw UserError(
        .badData,
        "train.teacher: the weights of \(path) are not those that the run began with: SHA-256 "
          + "\(weights.hash), not \(noted.sha256)",
        remedy: "put the teacher's checkpoint back, or start another run")
    }
    note = Note(
      source: source, path: URL(fileURLWithPath: path).standardizedFileURL.path,
      model: configuration.model.name, sha256: weights.hash)
    dataHash = try folder.dataHash()
    model = try Classifier(configuration.model, seed: 0)
    model.parameters.tracksGradients = false
    try model.load(weights.file)
  }

  private static func requireFit(
    _ teacher: RunConfiguration, _ student: RunConfiguration, _ path: String
  ) throws {
    let (own, other) = (student.model, teacher.model)
    let facts: [(what: String, student: String, teacher: String)] = [
      ("task", student.taskName, teacher.taskName),
      ("number of classes", "\(own.classes)", "\(other.classes)"),
      ("number of tokens", "\(own.vocabulary)", "\(other.vocabulary)"),
      ("number of sequences in an example", "\(own.towers)", "\(other.towers)"),
    ]
    if let fact = facts.first(where: { $0.student != $0.teacher }) {
      throw UserError(
        .configuration,
        "train.teacher: the \(fact.what) of \(path) is \(fact.teacher), not \(fact.student)",
        remedy: "name a run on the same task and data")
    }
    guard other.length >= own.length else {
      throw UserError(
        .configuration,
        "train.teacher: \(path) takes up to \(counted(other.length, "token")), not \(own.length)",
        remedy: "name a run of the same task.length")
    }
  }

  /// Checks that the teacher was trained on the data of the student.
  ///
  /// - Returns: what to tell the user where that is not known.
  /// - Throws: `UserError(.badData)` with both hashes.
  func requireData(_ identity: DataIdentity) throws -> String? {
    switch DataRelation(identity.hash, toRun: dataHash) {
    case .same: return nil
    case .unknown: return "\(note.source) does not say on which data the teacher was trained"
    case .other:
      throw UserError(
        .badData,
        "train.teacher: \(note.source) was trained on other data: content \(dataHash ?? ""), not "
          + identity.hash,
        remedy: "name a run on the same data: examples that a teacher has seen must not be those "
          + "that a student is tested on")
    }
  }
}
