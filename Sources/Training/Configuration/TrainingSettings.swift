// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import Runs

/// The knobs of the training loop and the optimizer, section `train` of a configuration.
package struct TrainingSettings: SettingSection, Equatable {
  /// `train`.
  package static let section = "train"
  /// No run has as many steps; products with the batch stay far from overflow.
  static let mostSteps = 1 << 40
  /// Examples of the largest batch.
  static let largestBatch = 1 << 20

  /// Optimizer steps of the whole run.
  @Knob("optimizer steps of the whole run", 0...mostSteps) package var steps = 1000
  /// Examples a step.
  @Knob("examples a step", 1...largestBatch) package var batch = 32
  /// Shards of a batch, a power of two: its gradient is the sum of theirs in a fixed tree.
  @Knob("shards of a batch, whose gradients are added in a fixed tree", 1...largestBatch)
  package var shards = 1
  /// Parts a batch is cut into, to save memory; the sum of their gradients is the whole's.
  ///
  /// Of several shards each is a part, and this is how many share them.
  @Knob("parts a batch is cut into, to save memory", 1...largestBatch) package var accumulation = 1
  /// The rate that the schedule multiplies.
  @Knob("the rate that the schedule multiplies; for rsqrt not its peak", above: 0)
  package var learningRate = 1e-4
  /// How the learning rate changes.
  @Knob("how the learning rate changes after its rise", key: "schedule")
  package var shape = Schedule.Kind.constant
  /// Steps over which the rate rises.
  @Knob("steps over which the rate rises; 0 for none", 0...mostSteps) package var warmup = 0
  /// Weight decay per unit of learning rate.
  @Knob("weight decay per unit of learning rate", 0...) package var weightDecay = 0.0
  /// Whether biases, norms and other vectors decay too, as in the LRA code.
  @Knob("whether biases, norms and other vectors decay too, as in the LRA code")
  package var decayVectors = false
  /// Adam's β₁, where the schedule does not set it.
  @Knob("Adam's β₁, where the schedule does not set it", 0..<1) package var beta1 = 0.9
  /// Adam's β₂.
  @Knob("Adam's β₂", 0..<1) package var beta2 = 0.999
  /// Adam's ε.
  @Knob("Adam's ε", 0...) package var epsilon = 1e-8
  /// Gradients are scaled down to this norm; 0 leaves them alone.
  @Knob("gradients are scaled down to this norm; 0 leaves them alone", 0...) package var clip = 0.0
  /// The share of a label's weight that all classes have alike in the training loss.
  @Knob("share of a label's weight that all classes have alike in the training loss", 0..<1)
  package var labelSmoothing = 0.0
  /// The probability that a step leaves a block out.
  @Knob("probability that a training step leaves a block out; 0 for never", 0..<1)
  package var layerDrop = 0.0
  /// What the learning rate is multiplied by for the poles and time steps of recurrences.
  @Knob("what the rate is multiplied by for poles and time steps of recurrences", 0...)
  package var recurrenceRate = 1.0
  /// Steps between evaluations on the validation split.
  @Knob("steps between evaluations on the validation split", 1...mostSteps)
  package var evalEvery = 250
  /// Steps between checkpoints, beside those at evaluations.
  @Knob("steps between checkpoints, beside those at evaluations", 1...mostSteps)
  package var checkpointEvery = 250
  /// Steps between records of metrics.
  @Knob("steps between records of metrics", 1...mostSteps) package var logEvery = 10
  /// What weights, data order and dropout are drawn from.
  @Knob("what weights, data order and dropout are drawn from") package var seed: UInt64 = 0
  /// Of the operands of products; weights, moments and sums are fp32 always.
  @Knob("what the operands of products are rounded to; weights and sums are fp32 always")
  package var precision = PrecisionChoice.fp32
  /// Of activations between the forward and the backward pass.
  @Knob("what activations are rounded to while they are kept for the backward pass")
  package var saved = SavedChoice.fp32
  /// Blocks of which only the input is kept, to save memory; 0 keeps what the backward pass needs.
  @Knob(
    "blocks computed again in the backward pass, of which only the input is kept; 0 for none", 0...)
  package var checkpoint = 0
  /// Which checkpoint's test accuracy is the run's result.
  @Knob("which checkpoint's test accuracy is the result") package var select = CheckpointChoice.best

  /// All at their defaults.
  package init() {}

  /// The learning rate of every step.
  package var schedule: Schedule {
    Schedule(kind: shape, base: learningRate, warmup: warmup, steps: max(steps, 1))
  }

  /// The precision of operands.
  package var operands: Precision { precision.precision ?? .fp32 }

  /// How a batch is cut.
  var cut: BatchCut { BatchCut(shards: shards, accumulation: accumulation) }

  /// What the optimizer keeps over the run.
  package var optimizer: AdamW.Settings {
    AdamW.Settings(
      weightDecay: weightDecay, decayVectors: decayVectors, beta2: beta2, epsilon: epsilon,
      clip: clip, recurrenceRate: recurrenceRate)
  }

  /// Checks what the ranges of single settings leave open.
  ///
  /// - Throws: `UserError(.configuration)` naming the key and what it must be.
  func validate() throws {
    // Shapes that do not know the end may stop while they rise, as the LRA's retrieval does.
    let hasEnd = shape == .cosine || shape == .oneCycle
    if hasEnd && steps > 0 && warmup > steps {
      throw refusal("warmup", warmup, "between 0 and train.steps, \(steps)")
    }
    for (key, value) in [("shards", shards), ("accumulation", accumulation)] where value > batch {
      throw refusal(key, value, "at most train.batch, \(batch)")
    }
    if precision == .auto {
      throw UserError(
        .configuration, "train.precision is auto, but a run has one of its own",
        remedy: "put fp32 or bf16, with which it was trained, into its config.json")
    }
    if shards & (shards - 1) != 0 { throw refusal("shards", shards, "a power of two") }
    if shards > 1 && !shards.isMultiple(of: accumulation) {
      throw refusal("accumulation", accumulation, "a divisor of train.shards, \(shards)")
    }
  }

  /// The keys of `train` that have no effect beside the values of the others, each with the reason.
  ///
  /// - Parameter model: what is trained.
  func idle(_ model: VariantEntry) -> [String: String] {
    var reasons: [String: String] = [:]
    if schedule.beta1(atStep: 1) != nil {
      reasons["beta1"] = "the schedule one-cycle moves it between 0.95 and 0.85"
    }
    if weightDecay == 0 {
      reasons["decay-vectors"] = "train.weight-decay is 0, so nothing decays"
    }
    if !model.about.parts.contains(.recurrence) {
      reasons["recurrence-rate"] = "\(model.name) has no recurrence"
    }
    return reasons
  }

  private func refusal(_ name: String, _ value: Int, _ rule: String) -> UserError {
    UserError(
      .configuration, "train.\(name) is \(value), but must be \(rule)",
      remedy: "change it with --set train.\(name)=...")
  }
}
