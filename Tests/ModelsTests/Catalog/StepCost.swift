// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import TestSupport

/// What a forward and a backward pass need, counted, so that no clock decides.
///
/// Profiler and pool are the process's: nothing else may compute meanwhile.
struct StepCost: Equatable, CustomStringConvertible {
  /// Floating-point operations, as the kernels state them.
  let flops: Int
  /// Bytes that the kernels must read and write.
  let bytes: Int
  /// Kernels run.
  let calls: Int
  /// The most that buffers held at once, and the most of workspace that a piece of work needed.
  let peak: Int

  init(_ flops: Int, _ bytes: Int, _ calls: Int, _ peak: Int) {
    (self.flops, self.bytes, self.calls, self.peak) = (flops, bytes, calls, peak)
  }

  /// Of two sequences of the greatest length.
  init(_ configuration: ModelConfiguration) throws {
    let model = try Classifier(configuration, seed: 1)
    let length = configuration.length
    let batch = TinyBatch(lengths: [length, length])
    let input = batch.packed(capacity: length)
    _ = model.parameters.values
    Profiler.shared.reset()
    let before = BufferPool.shared.counters.live
    BufferPool.shared.resetPeak()
    Workers.shared.resetWorkspacePeak()
    crossEntropy(model(input), labels: batch.labels).backward()
    let statistics = Profiler.shared.statistics.values
    self.init(
      statistics.reduce(0) { $0 + $1.flops }, statistics.reduce(0) { $0 + $1.bytes },
      statistics.reduce(0) { $0 + $1.calls },
      BufferPool.shared.counters.peak - before + Workers.shared.workspacePeak)
  }

  var description: String { "StepCost(\(flops), \(bytes), \(calls), \(peak))" }
}
