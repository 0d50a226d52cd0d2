// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// What a run knows beside weights and moments; with them, all it needs to go on exactly.
///
/// There is no random state: data order, weights and dropout are functions of (seed, step).
package struct TrainingState: Codable, Sendable, Equatable {
  /// Optimizer steps done.
  package var step = 0
  /// The product of Adam's β₁ so far.
  package var beta1Product = 1.0
  /// The best validation accuracy so far; of a model with exits that of all together.
  package var bestAccuracy: Double?
  /// The step with the best validation accuracy.
  package var bestStep: Int?
  /// The validation result of that step.
  package var bestValidation: Evaluation?
  /// The first step among whose evaluations the best is chosen, where an earlier best was lost.
  package var bestFrom: Int?
  /// The latest validation result.
  package var validation: Evaluation?
  /// What the best would be chosen by of it, where that is not its accuracy.
  package var score: Double?
  /// The step of `validation`.
  package var evaluatedStep: Int?
  /// Seconds spent in steps, over all sittings.
  package var trainingSeconds = 0.0
  /// Joules of the steps so far, over all sittings; nil where some were taken without counters.
  package var joules: Double?
  /// Floating-point operations of the steps so far, as the kernels count them; nil where some were not
  /// counted.
  package var flops: Double?
  /// Real tokens trained on.
  package var tokens = 0
  /// The content hash of the data of the last step; nil in runs from before it was kept.
  package var dataHash: String?
  /// Sums over the steps since the last record in the log.
  package var window: WindowSums?
  /// Bytes of `metrics.jsonl` at this step.
  package var logBytes: Int?

  /// The validation result of the best step; nil where an older version of the program chose it.
  package var validationOfBest: Evaluation? {
    bestValidation ?? (bestStep == evaluatedStep ? validation : nil)
  }

  /// The state before the first step.
  package init() {}

  /// Takes in a step that was taken.
  ///
  /// What some step did not count is not known of all of them.
  ///
  /// - Parameters:
  ///   - tokens: real tokens of its batch.
  ///   - seconds: that it took.
  ///   - joules: of the counters.
  ///   - flops: operations of its kernels.
  package mutating func took(
    tokens: Int, seconds: Double, joules: Double?, flops: Double?
  ) {
    let isFirst = step == 0
    let sum = { (sum: Double?, new: Double?) -> Double? in
      guard let new, let sum = isFirst ? 0 : sum else { return nil }
      return sum + new
    }
    self.joules = sum(self.joules, joules)
    self.flops = sum(self.flops, flops)
    step += 1
    self.tokens += tokens
    trainingSeconds += seconds
  }

  /// The file of a checkpoint that holds it.
  package static let fileName = "trainer_state.json"

  /// Takes in a validation result of the present step.
  ///
  /// - Parameters:
  ///   - score: what the best is chosen by, in 0…1; nil for the accuracy.
  ///   - isCandidate: whether it may be the best: not while weights are still to be removed.
  /// - Returns: whether it is the best so far.
  package mutating func evaluated(
    _ result: Evaluation, score: Double? = nil, isCandidate: Bool = true
  ) -> Bool {
    validation = result
    self.score = score
    evaluatedStep = step
    let score = score ?? result.accuracy
    guard isCandidate, score > bestAccuracy ?? -1 else { return false }
    bestAccuracy = score
    bestStep = step
    bestValidation = result
    return true
  }

  /// Chooses the best among the evaluations from this step on, as if there had been none before.
  package mutating func forgetBest() {
    (bestAccuracy, bestStep, bestValidation) = (nil, nil, nil)
    bestFrom = step
    if evaluatedStep == step, let validation { _ = evaluated(validation, score: score) }
  }
}

extension TrainingState: CheckedValue {
  /// Checks that a run can go on from here.
  package func check() throws(FieldFault) {
    try FieldRange.count.check([
      "step": step, "bestStep": bestStep, "evaluatedStep": evaluatedStep, "tokens": tokens,
    ])
    try FieldRange.share.check([
      "beta1Product": beta1Product, "bestAccuracy": bestAccuracy, "score": score,
    ])
    try FieldRange.amount.check(["trainingSeconds": trainingSeconds])
    try FieldRange(0...1e24).check(["joules": joules, "flops": flops])
    try validation?.check(in: "validation")
  }
}
