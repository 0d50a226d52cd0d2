// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport
import Testing

extension EngineTests {
  /// Each test has a process of its own, since the check is the process's.
  @Suite("Finite check")
  struct FiniteCheckTests {
    @Test("The first operation with an infinite result is named")
    func forward() async {
      await #expect(processExitsWith: .success) {
        let x = Tensor(shape: [2, 2], [1, 2, 3, 4])
        let good = Tensor(shape: [2, 2], [1, 0, 0, 1])
        let bad = Tensor(shape: [2, 2], [1, .infinity, 0, 1])
        let one = PackedSequences(count: 1, length: 2)
        let name = FiniteCheck.shared.firstFailure {
          let h = residualLinear(linear(x, weight: good), adding: x, weight: bad)
          _ = meanPool(h, sequences: one)
        }
        #expect(name == "residual linear")
      }
    }

    @Test("The first operation with an infinite gradient is named")
    func backward() async {
      await #expect(processExitsWith: .success) {
        let x = Tensor(shape: [1, 1], [1e-30]).tracked
        let weight = Tensor(shape: [1, 1], [1e25])
        let one = PackedSequences(count: 1, length: 1)
        let name = FiniteCheck.shared.firstFailure {
          linear(linear(meanPool(x, sequences: one), weight: weight), weight: weight).backward()
        }
        // Between the linear maps gradients are not looked at; the leaf's comes from the pool.
        #expect(name == "the gradient of mean pool")
      }
    }

    @Test("Finite results, and results outside the check, are not named")
    func silence() async {
      await #expect(processExitsWith: .success) {
        let x = Tensor(shape: [1, 1], [1])
        let bad = Tensor(shape: [1, 1], [.nan])
        #expect(FiniteCheck.shared.firstFailure { _ = linear(x, weight: x) } == nil)
        _ = linear(x, weight: bad)
        #expect(FiniteCheck.shared.firstFailure { _ = linear(x, weight: x) } == nil)
        #expect(FiniteCheck.shared.firstFailure { _ = linear(x, weight: bad) } == "linear")
      }
    }
  }
}
