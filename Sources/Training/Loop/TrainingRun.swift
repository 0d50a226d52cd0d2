// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Collective
import Foundation
import Machine
import Models
import Runs
import Tasks

/// A whole run in its folder: data, steps, evaluations, checkpoints, logs, result.
package final class TrainingRun {
  /// How a run can end without failing.
  package enum Ending {
    /// With a result.
    case finished(RunResult)
    /// On request; the folder can be resumed.
    case stopped(reason: String)
    /// With a result of a training on inputs alone.
    case pretrained(PretrainingResult)
    /// With `--steps 0`: the fresh checkpoint is saved.
    case initialized
  }

  /// What ends a run before its end, without a failure; its state is saved.
  struct Stop: Error {
    let reason: String
  }

  /// The run's folder.
  package let folder: RunFolder
  /// Optimizer steps taken in this sitting.
  package internal(set) var stepsTaken = 0
  /// Seconds of these steps, the waiting for their data included.
  package internal(set) var stepSeconds = 0.0
  var configuration: RunConfiguration
  private let identity: DataIdentity?
  let console: any Console
  let trainer: Trainer
  let group: TrainingGroup
  var state = TrainingState()
  var logs: RunLogs?
  /// What a run that begins in this sitting starts from, where it was given something.
  var initialWeights: InitialWeights?
  /// What it is trained towards, where it has a teacher.
  private let distillation: Distillation?
  /// What it is trained towards, where that are not the labels.
  let selfPretraining: SelfPretraining?
  var settings: TrainingSettings { configuration.training }
  /// When the run's time began.
  let start = monotonicSeconds()
  let timeLimit: Double?
  /// Whether the run begins in this sitting, so that its configuration is yet to be written.
  let isFresh: Bool
  /// The energy of its steps, where the machine tells.
  let energy = EnergyCounter()
  /// What its steps, evaluations and checkpoints take; nil without a time limit.
  var budget: TimeBudget?

  /// Prepares a run, fresh or resumed.
  ///
  /// - Parameters:
  ///   - data: the prepared data's identity, where it is known already.
  ///   - folder: created for a fresh run, opened for one to be resumed.
  ///   - timeLimit: seconds for everything from here, tests included. A fresh run shortens its
  ///     schedule to fit; a resumed one keeps it, and ends early.
  ///   - forgetsBest: whether a resumed run whose best checkpoint is lost goes on and chooses the
  ///     best among the evaluations that follow.
  ///   - group: those who train together; this process leads them.
  /// - Throws: `UserError`, `.badData` where the folder no longer holds what the run needs to go on
  ///   exactly.
  package init(
    _ configuration: RunConfiguration, data: DataIdentity? = nil, folder: RunFolder,
    resuming: Bool, timeLimit: Double?, forgetsBest: Bool = false, console: any Console,
    group: TrainingGroup = TrainingGroup(SingleProcess())
  ) throws {
    self.configuration = configuration
    identity = data
    self.folder = folder
    self.console = console
    self.timeLimit = timeLimit
    isFresh = !resuming
    self.group = group
    let model = try configuration.makeModel()
    let pruning: GradualPruning?
    (distillation, selfPretraining, pruning) = try folder.discarded(ifItFails: !resuming) {
      try Self.refuse(configuration, timeLimit: timeLimit, group)
      if !resuming { try Self.refuseUntrained(configuration) }
      return (
        configuration.distillation.teacher.isEmpty
          ? nil
          : try Distillation(configuration, model, noted: Distillation.noted(in: folder)),
        configuration.pretraining.isPretraining
          ? try SelfPretraining(configuration, model) : nil,
        try GradualPruning(configuration, model)
      )
    }
    let objective: (any Objective)? = distillation ?? selfPretraining
    let smoothing = configuration.training.labelSmoothing
    trainer = Trainer(
      model, configuration.training,
      objective: configuration.model.exits
        ? ExitTraining(
          objective ?? Classification(labelSmoothing: smoothing), labelSmoothing: smoothing)
        : objective,
      pruning: pruning, group: group.ranks)
    warn(folder.lockMessage)
    if resuming { try restore(forgetsBest: forgetsBest) }
  }

  /// Refuses what does not go with how the run is started.
  private static func refuse(
    _ configuration: RunConfiguration, timeLimit: Double?, _ group: TrainingGroup
  ) throws {
    let methods = [
      ("train.teacher", !configuration.distillation.teacher.isEmpty),
      ("train.objective", configuration.pretraining.isPretraining),
      ("train.pretrain-epochs", configuration.pretraining.pretrainEpochs > 0),
      ("train.prune", configuration.pruning.prune != .none),
      ("train.exits", configuration.model.exits),
    ]
    if let (key, _) = methods.first(where: \.1), group.ranks.size > 1 {
      throw UserError(
        .usage, "a training with \(key) cannot be shared by several ranks",
        remedy: "start it without mpirun")
    }
    if configuration.pretraining.pretrainEpochs > 0 && timeLimit != nil {
      throw UserError(
        .usage, "--time-limit does not know how to share time with train.pretrain-epochs",
        remedy: "train in two commands: train.objective=masked, then train.initial=RUN")
    }
  }

  /// Refuses exits of a model that nobody has trained.
  private static func refuseUntrained(_ configuration: RunConfiguration) throws {
    guard configuration.model.exits, configuration.start.initial.isEmpty else { return }
    throw UserError(
      .configuration,
      "train.exits is \(configuration.exits.exits.rawValue), but there is no train.initial: exits that learn "
        + "beside a model that knows nothing yet cost its own accuracy",
      remedy: "train the model without exits first, and name its run with train.initial=RUN")
  }

  /// Runs to the end, or until it is told to stop.
  ///
  /// - Throws: `UserError`; the folder's status is then `failed`, or the folder of a run that has not
  ///   begun is gone.
  package func run() throws -> Ending {
    do {
      return try attempt()
    } catch let error as UserError where error.kind == .stoppedEarly {
      try? folder.setStatus(.stopped)
      throw error
    } catch {
      // Without its data, say, a run has not begun, and leaves no folder that looks like one.
      if RunFolder.holdsRun(folder.path) {
        try? folder.setStatus(.failed)
      } else {
        folder.discard()
      }
      throw error
    }
  }

  private func attempt() throws -> Ending {
    let data = try prepareData()
    do {
      try pretrain(data)
    } catch let stop as Stop {
      try folder.setStatus(.stopped)
      return .stopped(reason: stop.reason)
    }
    try takeInitialWeights()
    try distillation?.prepare(data, configuration, folder) { console.printMessage($0) }
    try group.begin(configuration, data.identity)
    group.share(trainer)
    try Profiler.shared.pausing { try fitIntoTime(data) }
    if isFresh { try folder.write(configuration.settings) }
    try folder.write(data.identity, to: DataIdentity.fileName)
    try distillation?.record(in: folder)
    if let initialWeights { try folder.write(initialWeights, to: InitialWeights.fileName) }
    let environment = RunEnvironment(
      threads: Workers.shared.count, precision: configuration.operands,
      ranks: group.ranks.size)
    try folder.write(environment, to: "env.json")
    if settings.steps == 0 && isFresh {
      try save(best: false)
      try folder.setStatus(.done)
      return .initialized
    }
    let logs = try RunLogs(folder, configuration, after: state)
    self.logs = logs
    warn(logs.message)
    startThreads()
    console.printMessage(introduction(data))
    do {
      try takeSteps(data, logs)
      try requireTimeToFinish()
      if let selfPretraining {
        return .pretrained(try finishPretraining(selfPretraining, data, logs))
      }
      return .finished(try finish(data, logs))
    } catch let stop as Stop {
      try logs.end(step: state.step, status: .stopped)
      try folder.setStatus(.stopped)
      return .stopped(reason: stop.reason)
    }
  }

  /// Prepares the data, and notes which the coming steps are taken on.
  private func prepareData() throws -> RunData {
    let task = configuration.task
    try task.prepare { console.printMessage($0) }
    var identity = try identity ?? DataIdentity(task, folder: configuration.dataFolder)
    identity.follow(try folder.dataIdentity())
    state.dataHash = identity.hash
    let train = try task.examples(.train)
    try configuration.checkMemory(train)
    return RunData(identity: identity, train: train, val: try task.examples(.val))
  }

  /// Starts the threads that the run computes with.
  private func startThreads() {
    let wanted = Workers.shared.count
    let count = Workers.shared.start()
    if count < wanted { warn("the system lets only \(count) of \(wanted) threads start") }
  }
}
