// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine

/// What a finished run reports, `result.json`.
package struct RunResult: Codable, Sendable {
  /// What was trained, under which protocol.
  package var task: String
  /// The model, as the catalog names it.
  package var model: String
  /// The preset it was run with.
  package var preset: String
  /// Keys whose values are not those of the preset, with spaces between them.
  package var changed: String?
  /// What was learned of inputs alone before the labels, `masked` or `causal`; nil for nothing.
  package var pretraining: String?
  /// Whether the run may stand beside published results.
  package var comparable: Bool
  /// The seed of weights, data order and dropout.
  package var seed: UInt64
  /// The longest sequence, in tokens.
  package var length: Int
  /// Weights of the model.
  package var parameters: Int
  /// Hash of the configuration without its seed, so that runs of one protocol share it.
  package var configHash: String
  /// Hash of the data.
  package var dataHash: String
  /// Where the data came from.
  package var dataSource: String
  /// Training examples.
  package var trainCount: Int
  /// Steps taken.
  package var steps: Int
  /// Steps that the schedule was made for.
  package var plannedSteps: Int
  /// Why the run ended.
  package var ended: String
  /// The step with the best validation accuracy.
  package var bestStep: Int?
  /// The first step among whose evaluations the best was chosen; nil for all, as it should be.
  package var bestFrom: Int?
  /// The validation split at the best step.
  package var validationBest: Evaluation?
  /// The validation split at the last step.
  package var validationLast: Evaluation?
  /// The validation split at the last step, as older results name it; new ones leave it out.
  package private(set) var validation: Evaluation?
  /// The test split under the best weights.
  package var testBest: Evaluation
  /// The test split under the last weights.
  package var testLast: Evaluation
  /// Which of the two is the result.
  package var select: CheckpointChoice
  /// What always answering the commonest class would reach on the test split.
  package var majorityShare: Double
  /// Says so if the result is no better than that.
  package var remark: String?
  /// Seconds in training steps over all sittings, and what they amount to.
  package var trainingSeconds: Double
  /// The energy of these seconds, with all else that ran on the machine; nil where it is not known.
  package var energy: EnergyEstimate?
  /// The CO2 of that energy; nil where it or the grid was not known when the run ended.
  package var carbon: CarbonNote?
  /// Floating-point operations of the steps, as the kernels count them; nil where they were not counted.
  package var trainingFlops: Double?
  /// Optimizer steps a second.
  package var stepsPerSecond: Double
  /// Real tokens a second.
  package var tokensPerSecond: Double
  /// The most memory the process held, bytes.
  package var peakResidentBytes: Int
  /// The most that buffers held at once, bytes.
  package var peakTensorBytes: Int
  /// Threads used.
  package var threads: Int
  /// The commit of the source that the program was built from, where known.
  package var commit: String?

  /// The result by the preset's rule.
  package var test: Evaluation { select == .best ? testBest : testLast }
}

extension RunResult {
  /// What came out of a run that is done.
  ///
  /// - Parameters:
  ///   - settings: the whole configuration.
  ///   - identity: the data.
  ///   - state: after the last step.
  ///   - majorityShare: what always answering the commonest class would reach on the test split.
  /// - Throws: `UserError` where the configuration lacks a key.
  package init(
    _ settings: Settings, _ identity: DataIdentity, _ state: TrainingState, length: Int,
    parameters: Int, trainCount: Int, ended: String, testBest: Evaluation, testLast: Evaluation,
    majorityShare: Double, peakTensorBytes: Int, threads: Int
  ) throws {
    let select: CheckpointChoice = try settings.choice("train.select")
    let chosen = select == .best ? testBest : testLast
    let seconds = max(state.trainingSeconds, 1e-9)
    self.init(
      task: try settings.text("task.name"), model: try settings.text("model.name"),
      preset: try settings.text("run.preset"), changed: try settings.text("run.changed"),
      comparable: try settings.boolean("run.comparable") && identity.earlier.isEmpty,
      seed: UInt64(bitPattern: Int64(try settings.integer("train.seed"))), length: length,
      parameters: parameters, configHash: try settings.hash(excluding: ["train.seed"]),
      dataHash: identity.hash, dataSource: identity.history, trainCount: trainCount,
      steps: state.step, plannedSteps: try settings.integer("train.steps"), ended: ended,
      bestStep: state.bestStep, bestFrom: state.bestFrom,
      validationBest: state.validationOfBest, validationLast: state.validation,
      testBest: testBest, testLast: testLast, select: select, majorityShare: majorityShare,
      remark: chanceRemark(correct: chosen.correct, of: chosen.count, share: majorityShare),
      trainingSeconds: state.trainingSeconds, stepsPerSecond: Double(state.step) / seconds,
      tokensPerSecond: Double(state.tokens) / seconds,
      peakResidentBytes: Machine.peakResidentBytes(),
      peakTensorBytes: peakTensorBytes, threads: threads,
      commit: RunEnvironment(threads: threads).commit)
  }
}

extension RunResult: CheckedValue {
  /// Checks that every number is one that a run can have.
  package func check() throws(FieldFault) {
    try FieldRange.count.check([
      "parameters": parameters, "train_count": trainCount, "steps": steps,
      "planned_steps": plannedSteps, "best_step": bestStep,
      "peak_resident_bytes": peakResidentBytes, "peak_tensor_bytes": peakTensorBytes,
    ])
    try FieldRange.positiveCount.check(["length": length, "threads": threads])
    try FieldRange.share.check(["majority_share": majorityShare])
    try FieldRange.amount.check([
      "training_seconds": trainingSeconds, "steps_per_second": stepsPerSecond,
      "tokens_per_second": tokensPerSecond,
    ])
    try FieldRange(0...1e24).check(["training_flops": trainingFlops])
    try energy?.check(in: "energy")
    try carbon?.check(in: "carbon")
    try testBest.check(in: "test_best")
    try testLast.check(in: "test_last")
    try validation?.check(in: "validation")
    try validationBest?.check(in: "validation_best")
    try validationLast?.check(in: "validation_last")
  }
}

extension RunResult {
  /// The summary that ends a run, a line a fact.
  ///
  /// - Parameter terms: what energy amounts to.
  package func summary(folder: String, terms: EnergyTerms = EnergyTerms()) -> String {
    let tokens = Int(exactly: tokensPerSecond.rounded()).map(formatCount) ?? "unknown"
    var lines = [
      "test accuracy     best \(testBest.formattedAccuracy)"
        + (bestStep.map { " (step \($0))" } ?? "") + "   last \(testLast.formattedAccuracy)"
    ]
    if let validationBest, let validationLast {
      lines.append(
        "val accuracy      best \(validationBest.formattedAccuracy)   "
          + "last \(validationLast.formattedAccuracy)")
    }
    lines += [
      "chance            \(formatPercent(majorityShare)) (commonest class)"
        + (remark.map { "; \($0)" } ?? ""),
      "speed             "
        + String(format: "%.2f steps/s   ", stepsPerSecond)
        + "\(tokens) tokens/s (padding is never computed)",
      "training time     \(formatDuration(seconds: trainingSeconds)) for \(counted(steps, "step"))",
      "peak memory       \(formatBytes(peakResidentBytes))",
    ]
    if let energy { lines.append("energy            \(terms.text(energy))") }
    lines += [
      "data              \(dataSource)",
      "run folder        \(folder)",
    ]
    if let bestFrom {
      lines.append(
        "note              the best is that from step \(bestFrom) on, an earlier was lost")
    }
    if let pretraining {
      lines.append("note              self-pretrained (\(pretraining)), a protocol of its own")
    }
    if steps < plannedSteps { lines.append("ended early       \(ended)") }
    if !comparable {
      let change =
        (changed ?? "").isEmpty ? "" : " with another \((changed ?? "").replacing(" ", with: ", "))"
      lines.append(
        "note              preset \(preset)\(change) is not comparable with published numbers")
    }
    lines.append("next              \(programWord) evaluate \(shellQuoted(folder))")
    return lines.joined(separator: "\n")
  }
}
