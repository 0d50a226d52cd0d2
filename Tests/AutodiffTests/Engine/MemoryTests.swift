// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import TestSupport
import Testing

/// Bytes beyond those in use before, at the worst moment of attention and its backward pass.
private func attentionPeak(length: Int) -> Int {
  let width = 32
  let before = BufferPool.shared.counters.live
  BufferPool.shared.resetPeak()
  Workers.shared.resetWorkspacePeak()
  let x = Tensor(
    shape: [length, 3 * width], [Float](repeating: 0.5, count: length * 3 * width)
  ).tracked
  let heads = (0..<3).map { HeadsView(x, column: $0 * width, count: 2, width: width / 2) }
  let one = PackedSequences(count: 1, length: length)
  let y = attention(query: heads[0], key: heads[1], value: heads[2], queries: one, keys: one)
  crossEntropy(meanPool(y, sequences: one), labels: [0]).backward()
  return BufferPool.shared.counters.peak - before + Workers.shared.workspacePeak
}

extension EngineTests {
  /// Each test has a process of its own, since the counters are the process's.
  @Suite("Memory")
  struct MemoryTests {
    @Test("Steps of the same shape ask the system for memory only at first")
    func noMisses() async throws {
      await #expect(processExitsWith: .success) {
        for entry in VariantCatalog.all {
          let configuration = try tinyConfiguration(entry, length: 70)
          let model = try Classifier(configuration, seed: 1)
          let adam = AdamLoop(model.parameters, rate: 1e-3)
          var random = RandomData("steps")
          var misses: [Int] = []
          for step in 0..<6 {
            // Lengths differ from step to step; buffers are as large as the padded batch.
            let lengths = random.integers(4, in: 1..<71).map(Int.init)
            let places = offsets(lengths)
            let input = PackedTokens(
              tokens: random.integers(places[4], in: 1..<17), offsets: places, capacity: 70)
            adam.minimize(
              crossEntropy(
                model(input, .training(DropoutSeed(seed: 1, step: step))), labels: [0, 1, 2, 0]))
            misses.append(BufferPool.shared.counters.misses)
          }
          #expect(misses[5] == misses[2], "\(entry.name): \(misses)")
          #expect(misses[0] > 0)
        }
      }
    }

    @Test("Everything goes back to the pool")
    func nothingKept() async {
      await #expect(processExitsWith: .success) {
        let before = BufferPool.shared.counters.live
        for op in OpCases.all { _ = op.run() }
        #expect(BufferPool.shared.counters.live == before)
        #expect(BufferPool.shared.counters.peak > before)
      }
    }

    @Test("Activations kept in bfloat16 take less memory, and nothing new after the first steps")
    func rounded() async {
      await #expect(processExitsWith: .success) {
        var configuration = try tinyConfiguration(
          try VariantCatalog.named("transformer"), length: 256)
        (configuration.layers, configuration.width, configuration.feedForward) = (6, 64, 256)
        let batch = TinyBatch(lengths: [256, 256, 250, 201]).packed(capacity: 256)
        var (peaks, misses, live): ([Int], [Int], [Int]) = ([], [], [])
        for saved in [Precision.fp32, .bf16] {
          let model = try Classifier(configuration, seed: 1, saved: saved)
          let before = BufferPool.shared.counters.live
          BufferPool.shared.resetPeak()
          for step in 0..<4 {
            crossEntropy(
              model(batch, .training(DropoutSeed(seed: 1, step: step))), labels: [0, 1, 2, 0]
            ).backward()
            misses.append(BufferPool.shared.counters.misses)
            live.append(BufferPool.shared.counters.live)
          }
          peaks.append(BufferPool.shared.counters.peak - before)
        }
        #expect(Double(peaks[1]) < 0.65 * Double(peaks[0]), "\(peaks)")
        #expect(misses[5] == misses[7], "\(misses)")
        #expect(live[5] == live[7], "\(live)")
      }
    }

    @Test("A free buffer is lent out as two halves, and is whole again after both")
    func halves() async {
      await #expect(processExitsWith: .success) {
        let pool = BufferPool.shared
        let whole = pool.acquire(bytes: 1 << 16)
        pool.release(whole, bytes: 1 << 16)
        let misses = pool.counters.misses
        let halves = (0..<2).map { _ in pool.acquire(bytes: 1 << 15, orHalf: true) }
        #expect(Set(halves) == [whole, whole + 1 << 15])
        let third = pool.acquire(bytes: 1 << 15, orHalf: true)
        #expect(pool.counters.misses == misses + 1, "what is lent out is not cut")
        for half in halves { pool.release(half, bytes: 1 << 15) }
        #expect(pool.acquire(bytes: 1 << 16) == whole)
        pool.release(third, bytes: 1 << 15)
        _ = pool.acquire(bytes: 1 << 16)
        #expect(pool.counters.misses == misses + 1, "the third was half of a whole one")
      }
    }

    @Test("Attention's peak grows with the length, not with its square")
    func attentionPeakIsLinear() async {
      await #expect(processExitsWith: .success) {
        let peaks = [256, 512, 1024].map { attentionPeak(length: $0) }
        #expect(Double(peaks[1]) <= 2.3 * Double(peaks[0]), "\(peaks)")
        #expect(Double(peaks[2]) <= 2.3 * Double(peaks[1]), "\(peaks)")
      }
    }
  }
}
