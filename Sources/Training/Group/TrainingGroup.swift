// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Collective
import Foundation
import Models
import Runs
import Tasks

/// The ranks that train one model, as their leader sees them.
///
/// It runs the training and writes its folder, the others do what it announces. A process alone is a
/// group of one, to which nothing is announced.
package final class TrainingGroup {
  /// All ranks.
  package let ranks: any Collective
  private var hasBegun = false

  /// - Precondition: this is rank 0.
  package init(_ ranks: any Collective) {
    precondition(ranks.leads, "a group is led by rank 0")
    self.ranks = ranks
  }

  /// Whether there are others.
  private var hasOthers: Bool { ranks.size > 1 }

  /// Tells all others what to do next; they wait for it.
  func announce(_ command: GroupCommand) {
    guard hasOthers, let bytes = try? JSONEncoder().encode(command) else { return }
    _ = ranks.broadcast(Array(bytes))
  }

  /// Gives all others what the trainer starts from.
  ///
  /// - Throws: `UserError` where shards cannot be shared out, or a rank would compute something else.
  func begin(_ configuration: RunConfiguration, _ data: DataIdentity) throws {
    guard hasOthers else { return }
    let shards = configuration.training.shards
    guard shards % ranks.size == 0 else {
      throw UserError(
        .usage, "\(ranks.size) ranks cannot share the \(shards) shards of train.shards",
        remedy: "use as many ranks as divide \(shards): it is part of the run and cannot be changed"
      )
    }
    announce(
      .begin(
        settings: try text(configuration), dataFolder: configuration.dataFolder))
    let decoder = JSONDecoder()
    let own = try JSONEncoder().encode(
      RankIdentity(data: data.hash, configuration.training.operands))
    try RankIdentity.requireSame(
      ranks.gather(Array(own)).map { try decoder.decode(RankIdentity.self, from: Data($0)) })
    hasBegun = true
  }

  /// Gives the others the schedule that was fitted.
  func follow(_ configuration: RunConfiguration) throws {
    guard hasOthers else { return }
    announce(.follow(settings: try text(configuration)))
  }

  private func text(_ configuration: RunConfiguration) throws -> String {
    String(decoding: try configuration.settings.json(), as: UTF8.self)
  }

  /// Gives the others the weights and moments that the trainer has.
  func share(_ trainer: Trainer) {
    guard hasOthers else { return }
    let optimizer = trainer.optimizer
    announce(.restore(step: optimizer.step, beta1Product: optimizer.beta1Product))
    ranks.share(trainer)
  }

  /// An evaluator of a split whose examples are shared out.
  ///
  /// - Parameter isTrained: whether the model is that in training, which the others have.
  func evaluator(
    _ model: Classifier, _ configuration: RunConfiguration, _ split: Split, isTrained: Bool = true,
    data: String? = nil
  ) -> Evaluator {
    Evaluator(
      model, configuration.task, batch: configuration.training.batch, data: data, group: ranks
    ) { [self] first in
      guard hasOthers else { return }
      announce(.evaluate(split, from: first, withOthers: !isTrained))
      if !isTrained { ranks.share(model) }
    }
  }

  /// Checks that all ranks have the same weights.
  ///
  /// - Throws: `UserError(.failed)` that names the first rank and weight that differ.
  func requireSameWeights(_ model: Classifier) throws {
    guard hasOthers, hasBegun else { return }
    announce(.hash)
    try Self.requireSame(ranks.gather(model.weightHashes), of: model.parameters.all.map(\.name))
  }

  /// - Parameter hashes: of each rank, eight bytes for each weight.
  package static func requireSame(_ hashes: [[UInt8]], of weights: [String]) throws {
    let own = hashes.first ?? []
    for (rank, others) in hashes.enumerated() {
      guard let place = zip(others, own).enumerated().first(where: { $0.element.0 != $0.element.1 })
      else { continue }
      throw UserError(
        .failed,
        "rank \(rank) no longer has the weights of rank 0: \(weights[place.offset / 8]) differs",
        remedy:
          "the last checkpoint is from before; look for a faulty machine, and resume without it")
    }
  }

  /// What computes, for people.
  var description: String {
    let threads = counted(Workers.shared.count, "thread")
    return hasOthers ? "\(ranks.size) ranks, this one with \(threads)" : threads
  }

  /// Lets the others end.
  package func end() {
    announce(.end)
    ranks.finish()
  }
}

extension Collective {
  /// Gives all ranks the leader's weights.
  func share(_ model: Classifier) {
    model.parameters.values.withValues { broadcast(UnsafeMutableRawBufferPointer($0)) }
  }

  /// Gives all ranks the leader's weights and moments.
  func share(_ trainer: Trainer) {
    share(trainer.model)
    trainer.optimizer.moments.withValues { broadcast(UnsafeMutableRawBufferPointer($0)) }
  }
}

extension Classifier {
  /// Eight bytes for each weight, a hash of its values.
  var weightHashes: [UInt8] {
    parameters.all.flatMap { parameter in
      var hash = FNV1a()
      parameter.values.withUnsafeBytes { hash.add($0) }
      return withUnsafeBytes(of: hash.value) { Array($0) }
    }
  }
}
