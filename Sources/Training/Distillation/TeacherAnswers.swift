// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import Runs
import Tasks

/// The teacher's logits of all training examples, in a file of the student's run.
///
/// An example is always the same, so that a teacher need answer it once: at ten classes 40 bytes each.
package struct TeacherAnswers: Sendable, Equatable {
  package static let fileName = "teacher-answers.safetensors"

  /// [N, C], by the number of the example.
  private let logits: [Float]
  private let classes: Int
  /// The SHA-256 of the teacher's weights.
  private let teacher: String
  /// The content hash of the data.
  private let data: String

  /// Lets the teacher answer all training examples.
  ///
  /// - Returns: also the share of right answers; nil where the program is told to stop.
  static func asked(
    _ teacher: Teacher, _ data: RunData, _ configuration: RunConfiguration
  ) throws -> (TeacherAnswers, accuracy: Double)? {
    var logits: [Float] = []
    logits.reserveCapacity(data.train.count * configuration.model.classes)
    let evaluator = Evaluator(
      teacher.model, configuration.task, batch: configuration.training.batch)
    let result = try evaluator.run(
      data.train, shouldStop: { Interrupts.stopRequested }, visit: { logits += $0.logits })
    return result.map {
      let answers = TeacherAnswers(
        logits: logits, classes: configuration.model.classes, teacher: teacher.note.sha256,
        data: data.identity.hash)
      return (answers, $0.accuracy)
    }
  }

  /// The answers in a run's folder; nil unless they are whole, and this teacher's to these data.
  static func kept(
    in folder: RunFolder, _ teacher: Teacher, _ data: RunData, classes: Int
  ) -> TeacherAnswers? {
    let path = folder.file(fileName)
    guard FileSystem.exists(path), let file = try? SafeTensors(contentsOf: path),
      let logits = try? file.floats("logits"), logits.count == data.train.count * classes,
      file.metadata["teacher"] == teacher.note.sha256,
      file.metadata["data"] == data.identity.hash,
      file.metadata["checksum"] == Self.checksum(logits)
    else { return nil }
    return TeacherAnswers(
      logits: logits, classes: classes, teacher: teacher.note.sha256, data: data.identity.hash)
  }

  /// Keeps the answers in a run's folder.
  func write(to folder: RunFolder) throws {
    var file = SafeTensors()
    file.metadata = ["teacher": teacher, "data": data, "checksum": Self.checksum(logits)]
    file.add("logits", shape: [logits.count / classes, classes], logits)
    try file.write(to: folder.file(Self.fileName))
  }

  /// The answers to some examples, [B, C].
  func callAsFunction(_ examples: [Int]) -> Tensor {
    Tensor(
      shape: [examples.count, classes],
      examples.flatMap { logits[$0 * classes..<($0 + 1) * classes] })
  }

  private static func checksum(_ logits: [Float]) -> String {
    var hash = FNV1a()
    logits.withUnsafeBytes { hash.add($0) }
    return hash.hexadecimal
  }
}
