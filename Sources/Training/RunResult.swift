import Foundation

/// What a finished run reports, `result.json`.
public struct RunResult: Codable, Sendable {
  /// What was trained, under which protocol.
  public var task: String
  public var model: String
  public var preset: String
  public var comparable: Bool
  public var seed: UInt64
  public var length: Int
  public var parameters: Int
  /// Hash of the configuration without its seed, so that runs of one protocol share it.
  public var configHash: String
  public var dataHash: String
  public var dataSource: String
  public var trainCount: Int
  /// Steps taken, steps planned, and why the run ended if they differ.
  public var steps: Int
  public var plannedSteps: Int
  public var ended: String
  public var bestStep: Int?
  public var validation: Evaluation?
  /// The test split under the best and the last weights, and which of the two is the result.
  public var testBest: Evaluation
  public var testLast: Evaluation
  public var select: TrainingSettings.Selection
  /// What always answering the commonest class would reach on the test split.
  public var majorityShare: Double
  /// Says so if the result is no better than that.
  public var remark: String?
  /// Seconds in training steps over all sittings, and what they amount to.
  public var trainingSeconds: Double
  public var stepsPerSecond: Double
  public var tokensPerSecond: Double
  public var peakResidentBytes: Int
  public var peakTensorBytes: Int
  public var threads: Int
  public var commit: String?

  /// The result by the preset's rule.
  public var test: Evaluation { select == .best ? testBest : testLast }
}

extension RunResult {
  /// The summary that ends a run, a line a fact.
  public func summary(folder: String) -> String {
    let accuracy = { (evaluation: Evaluation) in
      "\(formatPercent(evaluation.accuracy)) ± \(formatPercent(evaluation.error))"
    }
    var lines = [
      "test accuracy     best \(accuracy(testBest))"
        + (bestStep.map { " (step \($0))" } ?? "") + "   last \(accuracy(testLast))",
      "chance            \(formatPercent(majorityShare)) (commonest class)"
        + (remark.map { "; \($0)" } ?? ""),
      "speed             "
        + String(format: "%.2f steps/s   %.0f tokens/s", stepsPerSecond, tokensPerSecond)
        + " (padding is never computed)",
      "training time     \(formatDuration(seconds: trainingSeconds)) for \(steps) steps",
      "peak memory       \(formatBytes(peakResidentBytes))",
      "run folder        \(folder)",
    ]
    if steps < plannedSteps { lines.append("ended early       \(ended)") }
    if !comparable {
      lines.append("note              preset \(preset) is not comparable with published numbers")
    }
    lines.append("next              lra evaluate \(folder)")
    return lines.joined(separator: "\n")
  }
}
