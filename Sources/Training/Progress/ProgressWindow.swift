// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Runs

/// Sums over the steps since the last record, and the speed of the run.
struct ProgressWindow {
  private let steps: Int
  private var step: Int
  private let firstStep: Int
  private var smoothed: Double?
  /// The sums, which a checkpoint keeps: a record averages the same steps after an interruption.
  private(set) var sums: WindowSums

  init(steps: Int, from step: Int, _ sums: WindowSums = WindowSums()) {
    self.steps = steps
    self.step = step
    self.sums = sums
    firstStep = step
  }

  mutating func add(_ report: Trainer.StepReport, seconds elapsed: Double) {
    step += 1
    sums.loss += report.loss
    sums.correct += report.correct
    sums.count += report.count
    sums.tokens += report.tokens
    sums.seconds += elapsed
    sums.steps += 1
    // The first step finds cold caches and empty pools.
    if step > firstStep + 1 { smoothed = smoothed.map { 0.95 * $0 + 0.05 * elapsed } ?? elapsed }
  }

  mutating func startOver() { sums = WindowSums() }

  func progress(_ report: Trainer.StepReport) -> TrainingProgress {
    let perStep = smoothed ?? sums.seconds
    return TrainingProgress(
      step: step, steps: steps, loss: sums.meanLoss, accuracy: sums.accuracy, rate: report.rate,
      stepsPerSecond: 1 / max(perStep, 1e-9),
      eta: smoothed.map { $0 * Double(steps - step) })
  }

  /// Tells the monitor what the steps since the last record reached.
  func observe(_ monitor: inout ChanceMonitor) -> String? {
    monitor.observe(step: step, correct: sums.correct, of: sums.count, loss: sums.meanLoss)
  }

  func metrics(_ report: Trainer.StepReport) -> [String: Double] {
    let elapsed = max(sums.seconds, 1e-9)
    return [
      "train/loss": sums.meanLoss, "train/accuracy": sums.accuracy,
      "train/learning_rate": report.rate, "train/grad_norm": report.gradientNorm,
      "throughput/steps_per_sec": Double(sums.steps) / elapsed,
      "throughput/samples_per_sec": Double(sums.steps * report.examples) / elapsed,
      "throughput/tokens_per_sec": Double(sums.tokens) / elapsed,
      "memory/peak_rss_bytes": Double(peakResidentBytes()),
    ]
  }

  /// What the whole run will take, said once, when ten steps have been measured.
  func estimate(_ settings: TrainingSettings, _ data: RunData) -> String? {
    guard step == firstStep + 10, let smoothed, step < steps else { return nil }
    let evaluations = Double(steps - step) / Double(settings.evalEvery) + 2
    let evaluation = smoothed / 3 * Double(data.val.count) / Double(settings.batch)
    let all = smoothed * Double(steps - step) + evaluations * evaluation
    return "about \(formatDuration(seconds: all)) to go on this machine"
      + String(format: " (%.2f s a step)", smoothed)
  }
}
