// SPDX-License-Identifier: Apache-2.0

import Models
import Runs
import Tasks

/// The data of a run, and the splits that training reads.
struct RunData {
  let identity: DataIdentity
  let train: any ExampleSource
  let val: any ExampleSource

  /// The batches of the training split, those of all steps in one order.
  func batches(_ configuration: RunConfiguration) -> Prefetch {
    Self.batches(train, configuration)
  }

  /// The batches of a training split.
  static func batches(_ source: any ExampleSource, _ configuration: RunConfiguration) -> Prefetch {
    let order = TrainingOrder(count: source.count, seed: configuration.training.seed)
    let (size, towers) = (configuration.training.batch, configuration.task.towers)
    return Prefetch { step in
      try makeBatch(
        source, examples: order.examples(start: (step - 1) * size, count: size), towers: towers)
    }
  }
}
