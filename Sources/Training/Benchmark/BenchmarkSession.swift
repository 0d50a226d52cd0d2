// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Machine
import Models
import Tasks

/// A cell's model in memory, to be timed once or, beside another program, turn by turn.
///
/// Making one takes the first step, which brings in all memory.
package final class BenchmarkSession {
  private let cell: BenchmarkCell
  private let parameters: Int
  private let step: () -> Void
  private let energy = EnergyCounter()
  /// The most main memory before the first yardstick, which takes memory of its own.
  private var resident: Int?

  /// Makes the model and takes a step.
  ///
  /// - Throws: `UserError` if the model's configuration is not valid.
  package init(_ cell: BenchmarkCell) throws {
    self.cell = cell
    let classifier = try Classifier(
      cell.model, seed: 0, precision: cell.precision, saved: cell.saved,
      recomputedBlocks: cell.checkpoint)
    try checkRange("the batch", cell.batch, 1...TrainingSettings.largestBatch)
    try cell.model.checkMemory(
      batchTokens: Double(cell.batch) * Double(cell.model.towers) * Double(cell.model.length))
    classifier.parameters.tracksGradients = !cell.forwardOnly
    parameters = classifier.parameters.count
    step = cell.makeStep(classifier)
    step()
  }

  /// Times the cell's steps after one more that is not timed, then the yardstick, sgemm.
  ///
  /// - Parameter profiling: whether to time every operation, which costs little.
  /// - Returns: what was measured, and where the time went if that was asked for.
  package func measure(
    profiling: Bool = false
  ) -> (result: BenchmarkResult, profile: OperationProfile?) {
    step()
    BufferPool.shared.resetPeak()
    Profiler.shared.reset(timing: profiling)
    let ((times, faults), joules) = energy.measured {
      let before = minorPageFaults()
      let times = (0..<cell.steps).map { _ in secondsTaken(by: step) }
      return (times, minorPageFaults() - before)
    }
    let statistics = Profiler.shared.statistics
    let result = result(times.sorted(), faults: faults, joules: joules)
    guard profiling else { return (result, nil) }
    let profile = OperationProfile(
      statistics, steps: cell.steps, seconds: times.reduce(0, +),
      roofline: .measured(threads: result.threads, cell.precision))
    return (result, profile)
  }

  private func result(_ sorted: [Double], faults: Int, joules: Double?) -> BenchmarkResult {
    let (model, steps, batch) = (cell.model, cell.steps, cell.batch)
    let median = (sorted[(steps - 1) / 2] + sorted[steps / 2]) / 2
    let flops = Profiler.shared.flops / steps
    let tensors = BufferPool.shared.counters.peak
    let resident = resident ?? peakResidentBytes()
    self.resident = resident
    let threads = Workers.shared.count
    let sgemm = OpenBLAS.shared?.measurePeak(threads: threads)
    let bf16 = cell.precision == .bf16 ? measureProductPeak(.bf16, threads: threads) : nil
    let int8 = cell.precision == .int8 ? measureProductPeak(.int8, threads: threads) : nil
    let peak = int8 ?? bf16 ?? sgemm
    let speed = Double(flops) / median / 1e9
    return BenchmarkResult(
      processor: RunEnvironment.cpuModel,
      model: model.name, length: model.length, batch: batch, towers: model.towers,
      emb: model.width, heads: model.heads, layers: model.layers, mlp: model.feedForward,
      stepS: rounded(median, 6), minS: rounded(sorted[0], 6),
      tokensPerS: Int(Double(batch * model.towers * model.length) / median),
      peakRssMib: resident >> 20, params: parameters, threads: threads,
      forward: cell.forwardOnly, flops: flops, gflopsPerS: rounded(speed, 2),
      peakTensorMib: rounded(Double(tensors) / 1_048_576, 1),
      sgemmGflopsPerS: sgemm.map { rounded($0, 1) }, mfu: peak.map { rounded(speed / $0, 4) },
      pageFaultsPerStep: rounded(Double(faults) / Double(steps), 1),
      energyJ: joules.map { rounded($0 / Double(steps), 3) },
      precision: cell.precision.rawValue,
      saved: cell.saved == .fp32 ? nil : cell.saved.rawValue,
      checkpoint: cell.checkpoint == 0 ? nil : cell.checkpoint,
      kernel: ProductKernel.used(for: cell.precision).rawValue,
      bf16GflopsPerS: bf16.map { rounded($0, 1) })
  }
}

extension BenchmarkCell {
  fileprivate func makeStep(_ classifier: Classifier) -> () -> Void {
    var random = RandomStream(seed: 0, stream: 1)
    let sequences = batch * model.towers
    let tokens = (0..<sequences * model.length).map { _ in
      Int32(1 + random.integer(below: model.vocabulary - 1))
    }
    let examples = Batch(
      tokens: tokens, offsets: (0...sequences).map { $0 * model.length },
      labels: (0..<batch).map { _ in Int32(random.integer(below: model.classes)) },
      examples: Array(0..<batch))
    let input = examples.packed(capacity: model.length)
    let optimizer = AdamW(
      classifier.parameters,
      AdamW.Settings(
        weightDecay: 0.01, decayVectors: true, beta2: 0.999, epsilon: 1e-8, clip: 0))
    let objective = Classification()
    // Only a training saves memory; of two steps the later, in which nothing is redrawn.
    let mode: ForwardMode =
      saved == .fp32 && checkpoint == 0 ? .evaluation : .training(DropoutSeed(seed: 0, step: 1))
    return {
      if forwardOnly {
        _ = classifier(input)
        return
      }
      let term = objective(classifier.encode(input, mode), of: classifier, examples, count: batch)
      term.loss.backward()
      _ = optimizer.update(rate: 1e-4, beta1: 0.9)
    }
  }
}

private func secondsTaken(by body: () -> Void) -> Double {
  let start = monotonicSeconds()
  body()
  return monotonicSeconds() - start
}

/// Pages that were mapped in for this process so far without reading from a disk.
private func minorPageFaults() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_minflt
}

private func rounded(_ value: Double, _ decimals: Int) -> Double {
  let scale = pow(10, Double(decimals))
  return (value * scale).rounded() / scale
}
