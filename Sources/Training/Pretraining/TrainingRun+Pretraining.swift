// SPDX-License-Identifier: Apache-2.0

import Base
import Runs

extension TrainingRun {
  /// The folder of a run's self-pretraining, in its own.
  package static let pretrainingFolder = "pretraining"

  /// Learns of the inputs alone before the first step, in a run of its own inside the folder.
  ///
  /// - Throws: ``Stop`` where it is told to stop; it goes on with the run.
  func pretrain(_ data: RunData) throws {
    guard configuration.pretraining.pretrainEpochs > 0, !trainer.hasCheckpoint else { return }
    let path = folder.file(Self.pretrainingFolder)
    let begun = RunFolder.holdsRun(path)
    if begun, try RunFolder.open(path).isFinished { return }
    // The folder is one that can be gone on with from here.
    try folder.write(configuration.settings)
    let own = try configuration.selfPretraining(examples: data.train.count)
    console.printMessage(
      "learning of the inputs alone first: \(counted(own.training.steps, "step")), "
        + own.pretraining.objective.rawValue)
    let run = try TrainingRun(
      own, data: data.identity, folder: begun ? RunFolder.resume(path) : RunFolder.create(path),
      resuming: begun, timeLimit: nil, console: console)
    switch try run.run() {
    case .pretrained(let result): console.printMessage(result.summary(folder: path))
    case .stopped(let reason): throw Stop(reason: reason)
    case .finished, .initialized: break
    }
  }

  /// Writes the result of a training on inputs alone.
  func finishPretraining(
    _ objective: SelfPretraining, _ data: RunData, _ logs: RunLogs
  ) throws -> PretrainingResult {
    if !isEvaluated { try evaluate(data, logs) }
    let result = try PretrainingResult(
      configuration.settings, data.identity, state, ended: ended,
      majorityShare: objective.majorityShare(data.val, batch: settings.batch))
    try logs.end(step: state.step, status: .done)
    try folder.write(result, to: PretrainingResult.fileName)
    try folder.setStatus(.done)
    console.finish()
    return result
  }
}

extension RunConfiguration {
  /// The training on inputs alone that comes before this one.
  ///
  /// It has the settings of this one, with a schedule that is stretched or squeezed to its steps.
  func selfPretraining(examples: Int) throws -> RunConfiguration {
    var settings = settings
    let origin = "train.pretrain-epochs"
    let objective = (pretraining.ofInputs ?? .masked).setting
    try settings.set("train.objective", objective, origin: origin)
    try settings.set("train.pretrain-epochs", .integer(0), origin: origin)
    try settings.set("train.teacher", .text(""), origin: origin)
    try settings.set("train.prune", "none", origin: origin)
    try settings.set("train.quantise", "none", origin: origin)
    try settings.set("train.distill-match", "logits", origin: origin)
    if start.initial == StartSettings.teacher {
      try settings.set("train.initial", .text(""), origin: origin)
    }
    var own = try RunConfiguration(settings, dataFolder: dataFolder)
    let steps = pretraining.pretrainEpochs * examples / training.batch
    try own.fit(steps: max(1, steps), origin: origin)
    return own
  }
}
