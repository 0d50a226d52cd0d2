// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import Tasks

/// The first training examples, on which is measured what of a model matters.
package struct Calibration {
  private let task: any ArenaTask
  private let source: any ExampleSource
  private let batch: Int

  /// How many examples there are.
  package var count: Int { source.count }

  /// - Parameters:
  ///   - count: how many of the split, which may have fewer.
  ///   - batch: examples at once.
  /// - Throws: `UserError` for data that cannot be read.
  package init(_ task: any ArenaTask, count: Int, batch: Int) throws {
    self.task = task
    self.batch = batch
    source = FirstExamples(try task.examples(.train), count: count)
  }

  /// Runs a model over all of them, nothing dropped.
  ///
  /// - Parameter mode: evaluation, or observing.
  /// - Returns: the mean cross-entropy.
  /// - Throws: `UserError(.stoppedEarly)` where the user asks for an end.
  package func loss(
    of model: Classifier, _ mode: ForwardMode = .evaluation, withGradients: Bool = false
  ) throws -> Double {
    let tracked = model.parameters.tracksGradients
    model.parameters.tracksGradients = withGradients
    defer { model.parameters.tracksGradients = tracked }
    var sum = 0.0
    for first in stride(from: 0, to: count, by: batch) {
      if Interrupts.stopRequested {
        throw UserError(
          .stoppedEarly, Interrupts.stopText ?? "stopped on request; nothing is kept",
          remedy: "type the same command again, with a lower --calibrate if it takes too long")
      }
      let examples = Array(first..<min(count, first + batch))
      let part = try makeBatch(source, examples: examples, towers: task.towers)
      // The sum over examples: each one's gradient is that of its own loss.
      let loss = crossEntropy(
        model(part.packed(capacity: task.length), mode), labels: part.labels, count: 1)
      sum += Double(loss.scalar)
      if withGradients {
        loss.backward()
        model.parameters.values.clearGradients()
      }
    }
    return sum / Double(max(count, 1))
  }
}
