// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Collective
import Foundation
import Models
import Runs
import Tasks

/// A rank that does what the leader announces: its share of every batch and of every evaluation, and the
/// same steps of the optimizer.
package final class GroupMember {
  private let ranks: any Collective
  private let dataFolder: String?
  private var work: Work?

  /// What the member trains.
  private struct Work {
    var configuration: RunConfiguration
    let trainer: Trainer
    let batches: Prefetch
  }

  /// - Parameter dataFolder: where the data lie on this host; nil where the leader says.
  package init(_ ranks: any Collective, dataFolder: String?) {
    self.ranks = ranks
    self.dataFolder = dataFolder
  }

  /// Works until the leader needs nothing more.
  ///
  /// - Throws: `UserError` where this rank cannot do its share.
  package func serve() throws {
    while true {
      let bytes = ranks.broadcast([])
      let command = try JSONDecoder().decode(GroupCommand.self, from: Data(bytes))
      if command == .end { break }
      try perform(command)
    }
    ranks.finish()
  }

  private func perform(_ command: GroupCommand) throws {
    if case .begin(let settings, let folder) = command {
      return try begin(settings, dataFolder ?? folder)
    }
    guard var work else { return }
    switch command {
    case .begin, .end: break
    case .follow(let settings):
      work.configuration = try configuration(settings, work.configuration.dataFolder)
      work.trainer.use(work.configuration.training)
      self.work = work
    case .restore(let step, let product):
      ranks.share(work.trainer)
      work.trainer.optimizer.restore(step: step, beta1Product: product)
    case .step(let step):
      let batch = try work.batches.batch(step, last: work.configuration.training.steps)
      // What is wrong with a step the leader sees too, and tells.
      _ = try? work.trainer.step(step, batch)
    case .time:
      _ = work.trainer.secondsPerStep(try work.batches.batch(1, last: 1))
    case .evaluate(let split, let first, let withOthers):
      try evaluate(work, split, from: first, withOthers)
    case .hash:
      _ = ranks.gather(work.trainer.model.weightHashes)
    }
  }

  private func configuration(_ settings: String, _ folder: String) throws -> RunConfiguration {
    try RunConfiguration(
      Settings(json: Data(settings.utf8), origin: "rank 0"), dataFolder: folder)
  }

  private func begin(_ settings: String, _ folder: String) throws {
    let configuration = try configuration(settings, folder)
    let task = configuration.task
    try task.prepare { _ in }
    let identity = try JSONEncoder().encode(
      RankIdentity(data: task.contentHash(), configuration.training.operands))
    _ = ranks.gather(Array(identity))
    work = Work(
      configuration: configuration,
      trainer: Trainer(
        try configuration.makeModel(), configuration.training, group: ranks),
      batches: RunData.batches(try task.examples(.train), configuration))
    _ = Workers.shared.start()
  }

  private func evaluate(
    _ work: Work, _ split: Split, from first: Int, _ withOthers: Bool
  ) throws {
    let model = withOthers ? try work.configuration.makeModel() : work.trainer.model
    if withOthers { ranks.share(model) }
    let task = work.configuration.task
    _ = try Evaluator(model, task, batch: work.configuration.training.batch, group: ranks)
      .run(try task.examples(split), from: first)
  }
}
