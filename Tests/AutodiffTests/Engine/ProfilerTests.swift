// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import TestSupport
import Testing

/// The floating-point operations of every row of the profile while `body` runs.
private func count(_ body: () -> Void) -> [String: Int] {
  Profiler.shared.reset()
  body()
  return Profiler.shared.statistics.mapValues(\.flops)
}

/// Checks both directions of this operation's row of the profile.
private func expectFlops(_ op: OpCase, forward: Int, backward: Int) {
  let found = count {
    let leaves = op.tensors(op.data).map(\.tracked)
    let y = op.operation(leaves)
    var random = RandomData("sum")
    RandomSum(rows: y.rows, columns: y.columns, &random)(y).backward()
  }
  let name = op.profiled
  // The scalar at the end is itself a projection and a linear map of one row.
  let rows = op.oracle(op.matrices(op.data))
  let extra = ["linear": 2 * rows.columns, "project sequence": 2 * rows.rows * rows.columns]
  let own = extra[name] ?? 0
  #expect(found[name] == forward + own, "\(op.name)")
  #expect(found[name + " backward"] == backward + 2 * own, "\(op.name) backward")
}

extension EngineTests {
  /// Each test has a process of its own, since the profiler is the process's.
  @Suite("Profiler")
  struct ProfilerTests {
    @Test("Row operations count what their formulas need")
    func rowFormulas() async {
      await #expect(processExitsWith: .success) {
        let (n, i, o) = (33, 17, 15)
        expectFlops(OpCases.linear(n, i, o), forward: 2 * n * i * o, backward: 4 * n * i * o)
        expectFlops(
          OpCases.linear(n, i, o, .gelu), forward: 2 * n * i * o, backward: 6 * n * i * o)
        expectFlops(
          OpCases.normalizedLinear(n, i, o), forward: 2 * n * i * o, backward: 4 * n * i * o)
        expectFlops(
          OpCases.residualLinear(n, i, o), forward: 2 * n * i * o, backward: 4 * n * i * o)
        expectFlops(
          OpCases.feedForward(n, i, o, .gelu), forward: 4 * n * i * o, backward: 8 * n * i * o)
        expectFlops(OpCases.pairFeatures(n, i), forward: 2 * n * i, backward: 6 * n * i)
      }
    }

    @Test("Sequence operations count what their formulas need")
    func sequenceFormulas() async {
      await #expect(processExitsWith: .success) {
        let pairs = 17 * 17 + 1 + 33 * 33
        expectFlops(
          OpCases.softmax([17, 1, 33], heads: 3, width: 8), forward: 4 * pairs * 24,
          backward: 10 * pairs * 24)
        expectFlops(
          OpCases.softmax([17, 2], [5, 70], heads: 2, width: 8, .separate),
          forward: 4 * (17 * 5 + 2 * 70) * 16, backward: 10 * (17 * 5 + 2 * 70) * 16)
        expectFlops(
          OpCases.kernel([17, 1, 33], heads: 3, width: 8), forward: 4 * 51 * 3 * 64,
          backward: 8 * 51 * 3 * 64)
        expectFlops(
          OpCases.random([17, 1, 33], heads: 3, width: 8, features: 20, .softmax),
          forward: 8 * 51 * 3 * 8 * 20, backward: 16 * 51 * 3 * 8 * 20)
        expectFlops(
          OpCases.random([17, 1, 33], heads: 3, width: 8, features: 20, .relu),
          forward: 8 * 51 * 3 * 8 * 20, backward: 16 * 51 * 3 * 8 * 20)
        expectFlops(
          OpCases.cosine([17, 1, 33], heads: 3, width: 8), forward: 8 * 51 * 3 * 64,
          backward: 16 * 51 * 3 * 64)
        expectFlops(
          OpCases.project([17, 1, 33], columns: 10, to: 7, of: 40, groups: [0, 1]),
          forward: 2 * 51 * 7 * 10, backward: 4 * 51 * 7 * 10)
      }
    }

    @Test("Attention by patterns counts the pairs that count")
    func patternFormulas() async {
      await #expect(processExitsWith: .success) {
        for (name, picture) in [
          ("blocks", OpCases.blocks(17)), ("band", OpCases.band(-20...33)),
          ("outside", OpCases.outside), ("band and ends", OpCases.bandAndEnds),
        ] {
          let lengths = [200, 1, 33]
          let pairs = lengths.reduce(0) { sum, n in
            (0..<3).reduce(sum) {
              $0 + Connection.counts(picture(n, $1), length: n).joined().reduce(0, +)
            }
          }
          expectFlops(
            OpCases.pattern(name, lengths, heads: 3, width: 8, picture), forward: 4 * pairs * 8,
            backward: 10 * pairs * 8)
        }
      }
    }

    @Test("Recurrences count what their formulas need")
    func recurrenceFormulas() async {
      await #expect(processExitsWith: .success) {
        expectFlops(
          OpCases.scan([17, 1, 33], states: 5), forward: 8 * 51 * 5, backward: 16 * 51 * 5)
        expectFlops(
          OpCases.stateSpace([17, 1, 33], channels: 15, modes: 3, [false, true]),
          forward: 2 * 12 * 51 * 15 * 3, backward: 2 * 32 * 51 * 15 * 3)
        expectFlops(
          OpCases.gated(33, 17, 15), forward: 4 * 33 * 17 * 15, backward: 8 * 33 * 17 * 15)
        // Rows: 16 complex frequencies. Columns of length 8: four butterflies of two and two of four,
        // 4 and 16 additions and 1 and 3 twiddle factors of 6 each.
        let columns = 4 * (4 + 6) + 2 * (16 + 18)
        let fourier = 4 * 8 * 20 * 16 + 16 * columns
        expectFlops(OpCases.fourier([8], width: 20, length: 8), forward: fourier, backward: fourier)
      }
    }

    @Test("Synthesised logits and narrow maps count what their formulas need")
    func synthesizedFormulas() async {
      await #expect(processExitsWith: .success) {
        let pairs = 17 * 17 + 1 + 33 * 33
        expectFlops(
          OpCases.widths([17, 1, 33], query: 5, value: 8, heads: 3),
          forward: 2 * pairs * 3 * (5 + 8), backward: 2 * pairs * 3 * (3 * 5 + 2 * 8))
        expectFlops(
          OpCases.keyBias([17, 1, 33], heads: 3, width: 8, query: 5),
          forward: 2 * pairs * 3 * (5 + 8 + 1), backward: 2 * pairs * 3 * (3 * 5 + 2 * 8 + 2))
        expectFlops(
          OpCases.outer([17, 1, 33], fine: 6, coarse: 6, heads: 3, width: 8),
          forward: 2 * pairs * 3 * (8 + 1), backward: 2 * pairs * 3 * (2 * 8 + 3))
        expectFlops(
          OpCases.table([17, 1, 33], of: 40, heads: 3, width: 8),
          forward: 2 * pairs * 3 * (8 + 1), backward: 2 * pairs * 3 * (2 * 8 + 3))
        expectFlops(
          OpCases.grouped(33, 5, 7, groups: 3), forward: 2 * 33 * 3 * 35,
          backward: 4 * 33 * 3 * 35)
        expectFlops(
          OpCases.perceptron(33, 5, 17, 7, .gelu), forward: 2 * 33 * 17 * (5 + 7),
          backward: 2 * 33 * 17 * (3 * 5 + 2 * 7))
      }
    }

    @Test("Seconds and calls are counted when asked for")
    func timing() async {
      await #expect(processExitsWith: .success) {
        Profiler.shared.reset(timing: true)
        for _ in 0..<3 { _ = OpCases.linear(64, 64, 64).run() }
        #expect(Profiler.shared.statistics["linear"]?.calls == 6)
        #expect((Profiler.shared.statistics["linear"]?.seconds ?? 0) > 0)
        #expect((Profiler.shared.statistics["linear"]?.bytes ?? 0) > 3 * 4 * 3 * 64 * 64)
        Profiler.shared.reset()
        _ = OpCases.linear(64, 64, 64).run()
        #expect(Profiler.shared.statistics["linear"]?.seconds == 0)
      }
    }

    @Test("Nothing is counted while the profiler pauses, whatever was counted before stays")
    func pausing() async {
      await #expect(processExitsWith: .success) {
        Profiler.shared.reset()
        _ = OpCases.linear(3, 4, 5).run()
        let before = Profiler.shared.flops
        Profiler.shared.pausing {
          Profiler.shared.pausing { _ = OpCases.linear(3, 4, 5).run() }
          _ = OpCases.linear(3, 4, 5).run()
        }
        #expect(before > 0 && Profiler.shared.flops == before)
        _ = OpCases.linear(3, 4, 5).run()
        #expect(Profiler.shared.flops == 2 * before)
      }
    }

    @Test("Every operation has a row in the profile, and one for its gradient")
    func rows() async {
      await #expect(processExitsWith: .success) {
        for op in OpCases.all {
          Profiler.shared.reset()
          _ = op.run()
          let rows = Profiler.shared.statistics
          #expect(rows[op.profiled] != nil, "\(op.name)")
          for name in op.operation(op.tensors(op.data).map(\.tracked)).operations {
            #expect(rows["\(name) backward"] != nil, "\(op.name): \(name)")
          }
        }
      }
    }

    @Test(
      "Every operation that a variant uses is in the table of cases and has a row in the profile")
    func coverage() async {
      await #expect(processExitsWith: .success) {
        let covered = OpCases.all.reduce(into: Set<String>()) { covered, op in
          covered.formUnion(op.operation(op.tensors(op.data).map(\.tracked)).operations)
        }
        for entry in VariantCatalog.all {
          for pooling in Pooling.allCases {
            let configuration = try tinyConfiguration(entry, pooling: pooling)
            let model = try Classifier(configuration, seed: 1)
            let input = PackedTokens(tokens: [1, 2, 3, 4], offsets: [0, 3, 4], capacity: 20)
            Profiler.shared.reset()
            let logits = model(input, .training(DropoutSeed(seed: 1, step: 0)))
            let used = crossEntropy(logits, labels: [0, 1]).operations
            #expect(used.count > 5)
            #expect(used.isSubset(of: covered), "\(used.subtracting(covered))")
            let unprofiled = used.subtracting(Profiler.shared.statistics.keys)
            #expect(unprofiled.isEmpty, "\(entry.name): \(unprofiled)")
          }
        }
      }
    }
  }
}
