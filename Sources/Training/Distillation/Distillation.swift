// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import Runs
import Tasks

/// Classification with a teacher: its answers beside the labels, and what its mixers add.
///
/// ```
/// loss = (1 - α)·cross-entropy + α·T²·KL(softmax(z_T/T) ‖ softmax(z_S/T)) + β·distance of outputs
/// ```
/// Sums over examples are divided by the batch, as in ``Classification``; with α = 0 and no outputs it is
/// that to the bit.
///
/// Source: Hinton, Vinyals and Dean (2015), arXiv 1503.02531; matched outputs of mixers: Bick et al.,
/// "Transformers to SSMs" (2024), arXiv 2408.10189.
/// Differs: their second stage matches whole blocks, ours with `train.distill-stage-steps` mixers.
package final class Distillation: Objective {
  private let teacher: Teacher
  private let settings: DistillationSettings
  private let labels: Classification
  private let matching: OutputMatching?
  private var answers: TeacherAnswers?

  /// The objective of a student, which may get companion weights.
  ///
  /// - Parameter noted: what the run has noted of its teacher before, if it goes on.
  /// - Throws: `UserError` for a teacher that cannot be used.
  /// - Precondition: nobody has used a weight of the student yet.
  package init(
    _ configuration: RunConfiguration, _ student: Classifier, noted: Teacher.Note? = nil
  ) throws {
    settings = configuration.distillation
    teacher = try Teacher(configuration, noted: noted)
    labels = Classification(labelSmoothing: configuration.training.labelSmoothing)
    matching =
      settings.distillMatch == .outputs
      ? try OutputMatching(student, teacher, feeding: settings.distillStageSteps > 0) : nil
  }

  package var observesMixers: Bool { matching != nil }

  /// In the first steps the distance of the mixers' outputs alone, each fed with the teacher's rows; nobody is asked
  /// for the labels.
  package func ofLayers(
    _ batch: Batch, of model: Classifier, _ mode: ForwardMode, step: Int, count: Int
  ) -> ObjectiveTerm? {
    guard step <= settings.distillStageSteps, let matching else { return nil }
    let distance = matching.ofLayers(
      model, batch.packed(capacity: model.configuration.length), mode, count: count)
    return distance.map { ObjectiveTerm(loss: $0, correct: 0) }
  }

  package func callAsFunction(
    _ rows: EncodedSequences, of model: Classifier, _ batch: Batch, count: Int
  ) -> ObjectiveTerm {
    let logits = model.logits(rows)
    let plain = labels(logits, batch, count: count)
    var loss = plain.loss
    if settings.distillWeight > 0 {
      let weight = Float(settings.distillWeight)
      let distance = divergence(
        logits, from: answers(to: batch, of: model),
        temperature: Float(settings.distillTemperature), count: count)
      loss = elementwise(.sum, scaled(loss, by: 1 - weight), scaled(distance, by: weight))
    }
    let distance = matching?(
      rows, batch.packed(capacity: model.configuration.length),
      towers: model.configuration.towers, count: count)
    if let distance {
      let weight = Float(settings.distillMatchWeight)
      loss = elementwise(.sum, loss, scaled(distance, by: weight))
    }
    return ObjectiveTerm(loss: loss, correct: plain.correct, logits: logits)
  }

  /// The teacher's answers to a batch, kept or given now.
  private func answers(to batch: Batch, of model: Classifier) -> Tensor {
    answers?(batch.examples)
      ?? teacher.model(batch.packed(capacity: model.configuration.length))
  }
}

extension Distillation {
  /// Lets the teacher answer all training examples, unless the run's folder has its answers.
  ///
  /// - Parameter tell: is told what is done.
  /// - Throws: `UserError` for a teacher of other data, or when the program is told to stop.
  func prepare(
    _ data: RunData, _ configuration: RunConfiguration, _ folder: RunFolder,
    tell: (String) -> Void
  ) throws {
    if let message = try teacher.requireData(data.identity) { tell("warning: \(message)") }
    guard settings.distillWeight > 0 else { return }
    answers = TeacherAnswers.kept(
      in: folder, teacher, data, classes: configuration.model.classes)
    guard answers == nil else { return }
    tell(
      "the teacher, \(teacher.note.model) of \(teacher.note.source), answers "
        + counted(data.train.count, "training example"))
    guard let (answers, accuracy) = try TeacherAnswers.asked(teacher, data, configuration) else {
      throw UserError(
        .stoppedEarly, "stopped while the teacher answered", remedy: "type the command again")
    }
    self.answers = answers
    tell("the teacher is right about \(formatPercent(accuracy)) of them")
    if accuracy > 0.995 {
      tell(
        "warning: such answers say hardly more than the labels; an earlier checkpoint of the teacher "
          + "may teach more")
    }
  }

  /// Notes the teacher in the run's folder, and keeps its answers there.
  func record(in folder: RunFolder) throws {
    try folder.write(teacher.note, to: Teacher.Note.fileName)
    try answers?.write(to: folder)
  }

  /// What a run has noted of its teacher; nil where it has not.
  static func noted(in folder: RunFolder) -> Teacher.Note? {
    FileManager.default.contents(atPath: folder.file(Teacher.Note.fileName)).flatMap {
      try? SnakeCaseJSON.decoded(Teacher.Note.self, from: $0)
    }
  }
}
