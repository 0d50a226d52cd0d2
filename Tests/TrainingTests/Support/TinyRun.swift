// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Training

/// Settings that make a ListOps run of a second or two.
let tinySettings = [
  "task.length=40", "task.train-count=400", "task.val-count=50", "task.test-count=50",
  "model.width=32", "model.feed-forward=32", "train.batch=8", "train.steps=12",
  "train.eval-every=4", "train.checkpoint-every=4", "train.learning-rate=1e-3",
]

/// A configuration of such a run, with its data in `folder`.
func tinyConfiguration(
  _ folder: String, model: String = "linformer", _ changes: [String] = []
) throws -> RunConfiguration {
  var request = RunConfiguration.Request(
    task: "listops", model: model, dataFolder: "\(folder)/data")
  let own = model == "linformer" ? ["model.projected=8"] : []
  request.assignments = (tinySettings + own + changes).map { ($0, "test") }
  return try RunConfiguration(request)
}

/// A trainer of the configuration's model.
func makeTrainer(_ configuration: RunConfiguration) throws -> Trainer {
  Trainer(try configuration.makeModel(), configuration.training)
}

/// A console that keeps what it is told.
final class SilentConsole: Console {
  private(set) var messages: [String] = []

  func printProgress(_ progress: TrainingProgress, evaluated: Bool) {}
  func printMessage(_ message: String) { messages.append(message) }
  func finish() {}
}

/// The batch of a step of a prepared task.
func tinyBatch(_ configuration: RunConfiguration, step: Int) throws -> Batch {
  try configuration.task.prepare { _ in }
  let source = try configuration.task.examples(.train)
  let size = configuration.training.batch
  let order = TrainingOrder(count: source.count, seed: configuration.training.seed)
  return try makeBatch(
    source, examples: order.examples(start: (step - 1) * size, count: size), towers: 1)
}
