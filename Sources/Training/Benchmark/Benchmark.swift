// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models

/// One cell of a speed table: a model of a given size, timed over whole steps.
package struct BenchmarkCell: Sendable {
  /// The model; dropout is off and no sequence is padded.
  package var model: ModelConfiguration
  /// Examples a step, each of as many sequences as the model has towers.
  package var batch: Int
  /// Steps timed, at least one.
  package var steps: Int
  /// Only the forward pass, without recording.
  package var forwardOnly: Bool
  /// Of the operands of products.
  package var precision: Precision
  /// Of what is kept for the backward pass.
  package var saved: Precision
  /// Blocks of which only the input is kept for it, 0 for none.
  package var checkpoint: Int

  package init(
    model: ModelConfiguration, batch: Int, steps: Int, forwardOnly: Bool,
    precision: Precision = .fp32, saved: Precision = .fp32, checkpoint: Int = 0
  ) {
    self.model = model
    self.batch = batch
    self.steps = steps
    self.forwardOnly = forwardOnly
    self.precision = precision
    self.saved = saved
    self.checkpoint = checkpoint
  }
}

/// What a cell measured.
///
/// In JSON the names are those that comparisons with other programs use, as `step_s`.
package struct BenchmarkResult: Codable, Sendable, Equatable {
  /// The machine's processor, as the system names it; nil in lines of before it was noted.
  package var processor: String?
  /// Of the operands of products; nil in lines of before it was noted, which are of fp32.
  package var precision: String?
  /// Of what is kept for the backward pass, where it is not fp32.
  package var saved: String?
  /// Blocks of which only the input is kept for it, where there are some.
  package var checkpoint: Int?
  /// The instructions of the products; nil in lines of before it was noted.
  package var kernel: String?
  /// The variant.
  package var model: String
  /// Tokens of a sequence.
  package var length: Int
  /// Examples a step.
  package var batch: Int
  /// Sequences of an example.
  package var towers: Int
  /// E.
  package var emb: Int
  /// H.
  package var heads: Int
  /// Blocks.
  package var layers: Int
  /// F.
  package var mlp: Int
  /// Seconds of the median step.
  package var stepS: Double
  /// Seconds of the fastest step.
  package var minS: Double
  /// Tokens a second in the median step.
  package var tokensPerS: Int
  /// The most main memory that the process held until the steps were done, MiB.
  package var peakRssMib: Int
  /// Weights of the model.
  package var params: Int
  /// Threads computing.
  package var threads: Int
  /// Always false: nothing is compiled while it runs.
  package var compile = false
  /// Whether only inference was timed.
  package var forward: Bool
  /// Floating-point operations a step, counted by the kernels.
  package var flops: Int
  /// Floating-point operations a nanosecond in the median step.
  package var gflopsPerS: Double
  /// The most that the buffers in use held at once, MiB.
  package var peakTensorMib: Double
  /// GFLOP/s of OpenBLAS's sgemm on as many threads, measured after the steps; nil without it.
  package var sgemmGflopsPerS: Double?
  /// GFLOP/s of our own bf16 product on as many threads; nil for fp32.
  package var bf16GflopsPerS: Double?
  /// The model's share of the speed of its precision: of sgemm, or of our own bf16 or int8 product, 0...1.
  package var mfu: Double?
  /// Pages that the kernel had to map in, a step: 0 when all memory is reused.
  package var pageFaultsPerStep: Double
  /// Joules a step of the processor's packages, with all else that runs on them; nil where the machine
  /// does not tell.
  package var energyJ: Double?

  package init(
    processor: String? = nil,
    model: String, length: Int, batch: Int, towers: Int, emb: Int, heads: Int, layers: Int,
    mlp: Int, stepS: Double, minS: Double, tokensPerS: Int, peakRssMib: Int, params: Int,
    threads: Int, forward: Bool, flops: Int, gflopsPerS: Double, peakTensorMib: Double,
    sgemmGflopsPerS: Double?, mfu: Double?, pageFaultsPerStep: Double, energyJ: Double? = nil,
    precision: String? = nil, saved: String? = nil, checkpoint: Int? = nil, kernel: String? = nil,
    bf16GflopsPerS: Double? = nil
  ) {
    self.processor = processor
    self.model = model
    self.length = length
    self.batch = batch
    self.towers = towers
    self.emb = emb
    self.heads = heads
    self.layers = layers
    self.mlp = mlp
    self.stepS = stepS
    self.minS = minS
    self.tokensPerS = tokensPerS
    self.peakRssMib = peakRssMib
    self.params = params
    self.threads = threads
    self.forward = forward
    self.flops = flops
    self.gflopsPerS = gflopsPerS
    self.peakTensorMib = peakTensorMib
    self.sgemmGflopsPerS = sgemmGflopsPerS
    self.mfu = mfu
    self.pageFaultsPerStep = pageFaultsPerStep
    self.energyJ = energyJ
    self.precision = precision
    self.saved = saved
    self.checkpoint = checkpoint
    self.kernel = kernel
    self.bf16GflopsPerS = bf16GflopsPerS
  }
}

extension BenchmarkResult {
  /// What sets it apart from a measurement in fp32 that keeps all that is saved, such as `bf16`.
  package var variation: String? {
    let parts = [
      precision == Precision.fp32.rawValue ? nil : precision, saved.map { "saved \($0)" },
      checkpoint.map { "checkpoint \($0)" },
    ].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

extension BenchmarkResult: CheckedValue {
  /// Checks that every number is one that can be measured.
  package func check() throws(FieldFault) {
    try FieldRange.positiveCount.check([
      "length": length, "batch": batch, "towers": towers, "threads": threads,
    ])
    try FieldRange.count.check([
      "emb": emb, "heads": heads, "layers": layers, "mlp": mlp, "tokens_per_s": tokensPerS,
      "params": params, "checkpoint": checkpoint ?? 0,
    ])
    try FieldRange(0...1e18).check(["flops": flops])
    try FieldRange.positiveAmount.check(["step_s": stepS])
    try FieldRange(0...1e9).check([
      "peak_rss_mib": Double(peakRssMib), "peak_tensor_mib": peakTensorMib,
    ])
    try FieldRange.amount.check([
      "min_s": minS, "gflops_per_s": gflopsPerS, "sgemm_gflops_per_s": sgemmGflopsPerS, "mfu": mfu,
      "page_faults_per_step": pageFaultsPerStep, "energy_j": energyJ,
      "bf16_gflops_per_s": bf16GflopsPerS,
    ])
  }
}
