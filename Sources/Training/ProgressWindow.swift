import Foundation

/// Sums over the steps since the last record, and the speed of the run.
struct ProgressWindow {
  private let steps: Int
  private var step: Int
  private let firstStep: Int
  private var loss = 0.0
  private var correct = 0
  private var count = 0
  private var tokens = 0
  private var seconds = 0.0
  private var parts = 0
  private var smoothed: Double?

  init(steps: Int, from step: Int) {
    self.steps = steps
    self.step = step
    firstStep = step
  }

  mutating func add(_ report: Trainer.StepReport, seconds elapsed: Double) {
    step += 1
    loss += report.loss
    correct += report.correct
    count += report.count
    tokens += report.tokens
    seconds += elapsed
    parts += 1
    // The first step finds cold caches and empty pools.
    if step > firstStep + 1 { smoothed = smoothed.map { 0.95 * $0 + 0.05 * elapsed } ?? elapsed }
  }

  mutating func startOver() {
    (loss, correct, count, tokens, seconds, parts) = (0, 0, 0, 0, 0, 0)
  }

  func progress(_ report: Trainer.StepReport) -> TrainingProgress {
    let perStep = smoothed ?? seconds
    return TrainingProgress(
      step: step, steps: steps, loss: loss / Double(max(parts, 1)),
      accuracy: Double(correct) / Double(max(count, 1)), rate: report.rate,
      stepsPerSecond: 1 / max(perStep, 1e-9),
      tokensPerSecond: Double(tokens) / max(seconds, 1e-9),
      eta: smoothed.map { $0 * Double(steps - step) })
  }

  /// Tells the monitor what the steps since the last record reached.
  func observe(_ monitor: inout ChanceMonitor) -> String? {
    monitor.observe(step: step, correct: correct, of: count, loss: loss / Double(max(parts, 1)))
  }

  func metrics(_ report: Trainer.StepReport) -> [String: Double] {
    let elapsed = max(seconds, 1e-9)
    return [
      "train/loss": loss / Double(max(parts, 1)),
      "train/accuracy": Double(correct) / Double(max(count, 1)),
      "train/learning_rate": report.rate, "train/grad_norm": report.gradientNorm,
      "throughput/steps_per_sec": Double(parts) / elapsed,
      "throughput/samples_per_sec": Double(count) / elapsed,
      "throughput/tokens_per_sec": Double(tokens) / elapsed,
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
