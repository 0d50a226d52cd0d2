// SPDX-License-Identifier: Apache-2.0

import Base
import Machine
import Models
import Tasks

/// A run's training in memory, on its own first batches, to be timed step by step; nothing is written.
///
/// Making one takes the first step, which brings in all memory.
package final class TrainingSession {
  /// The trainer with the model.
  package let trainer: Trainer
  private let settings: TrainingSettings
  private let source: any ExampleSource
  private let order: TrainingOrder
  private let towers: Int
  private let energy = EnergyCounter()
  private var taken = 0

  /// - Throws: `UserError` for a configuration or data that cannot be used; the data must be prepared.
  package init(_ configuration: RunConfiguration) throws {
    settings = configuration.training
    source = try configuration.task.examples(.train)
    try configuration.checkMemory(source)
    towers = configuration.task.towers
    order = TrainingOrder(count: source.count, seed: settings.seed)
    let model = try configuration.makeModel()
    trainer = Trainer(
      model, settings, objective: try RunCost.objective(configuration, model))
    _ = try step()
  }

  /// Takes a step on the next batch.
  ///
  /// - Returns: its seconds, making the batch included.
  package func step() throws -> Double {
    let start = monotonicSeconds()
    let examples = order.examples(start: taken * settings.batch, count: settings.batch)
    taken += 1
    _ = try trainer.step(1, makeBatch(source, examples: examples, towers: towers))
    return monotonicSeconds() - start
  }

  /// Takes several steps, to be told beside other processes.
  package func turn(steps: Int) throws -> RunTurn {
    var turn = RunTurn()
    let (times, joules) = try energy.measured { try (0..<steps).map { _ in try step() } }
    turn.stepS = times
    turn.energyJ = joules.map { $0 / Double(steps) }
    turn.peakResidentBytes = peakResidentBytes()
    return turn
  }
}
