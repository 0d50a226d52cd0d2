// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport
import Testing

extension EngineTests {
  /// Recording and running backwards.
  @Suite("Tape")
  struct TapeTests {
    private func scalar(_ value: Float) -> Tensor { Tensor(shape: [1, 1], [value]) }

    @Test("A tensor used twice gets both contributions, whatever the order")
    func usedTwice() throws {
      let x = scalar(3).tracked
      let y = linear(x, weight: scalar(2))  // 2x
      let z = linear(y, weight: y)  // 4x²
      residualLinear(z, adding: y, weight: scalar(5)).backward()  // 4x² + 10x
      #expect(try #require(x.gradient).scalar == 8 * 3 + 10)
    }

    @Test("A second backward pass over the same tape changes nothing")
    func secondPass() throws {
      let x = scalar(3).tracked
      let y = linear(x, weight: scalar(2))
      y.backward()
      y.backward()
      #expect(try #require(x.gradient).scalar == 2)
    }

    @Test("Gradients of several tapes add up in a leaf")
    func severalTapes() throws {
      let x = scalar(3).tracked
      for factor: Float in [2, 5, 11] { linear(x, weight: scalar(factor)).backward() }
      #expect(try #require(x.gradient).scalar == 18)
    }

    @Test("Gradients stop at a detached tensor")
    func detached() throws {
      let x = scalar(3).tracked
      residualLinear(x, adding: linear(x, weight: scalar(2)).detached, weight: scalar(1)).backward()
      #expect(try #require(x.gradient).scalar == 1)
    }

    @Test("What a loss does not depend on gets a gradient of zero")
    func independent() throws {
      let (x, other) = (scalar(3).tracked, scalar(4).tracked)
      _ = linear(other, weight: scalar(2))
      linear(x, weight: scalar(2)).backward()
      #expect(try #require(other.gradient).scalar == 0)
    }

    @Test("An operation with two results gets zeros for the one that nothing depends on")
    func oneOfTwoResults() throws {
      let x = Tensor(shape: [2, 1], [3, 4]).tracked
      let norm = Norm(scale: scalar(2), shift: scalar(5).tracked)
      let (rows, sums) = normalizedLinear(
        x, norm: norm, weight: scalar(7),
        sumsOf: SequencePieces(PackedSequences(count: 1, length: 2), length: 2))
      linear(sums, weight: scalar(3)).backward()  // 3·Σ(2·0 + 5)
      #expect(try #require(norm.shift.gradient).scalar == 6)
      #expect(rows.values == [35, 35])
    }

    @Test(
      "Columns get the sum of what reaches them, and zero where nothing does",
      arguments: [
        [0..<1], [2..<3, 0..<1], [0..<2, 1..<3], [1..<2, 0..<3], [0..<1, 0..<1, 1..<3], [0..<3],
      ])
    func columns(views: [Range<Int>]) throws {
      let x = Tensor(shape: [2, 3], [1, 2, 3, 4, 5, 6]).tracked
      let identity = Tensor(shape: [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1])
      let pieces = SequencePieces(PackedSequences(count: 1, length: 2), length: 2)
      let y = linear(x, weight: identity)
      let sums = views.map { columns in
        let view = HeadsView(y, column: columns.lowerBound, count: 1, width: columns.count)
        let ones = Tensor(shape: [1, columns.count], columns.map { _ in 1 })
        return linear(segmentSum(view, pieces: pieces), weight: ones)
      }
      sums.dropFirst().reduce(sums[0]) { residualSum($0, adding: $1) }.backward()
      let expected = (0..<3).map { column in Float(views.count { $0.contains(column) }) }
      #expect(try #require(x.gradient).values == expected + expected)
    }

    @Test("A chain of 20,000 operations runs backwards without exhausting the stack")
    func longChain() throws {
      let x = scalar(1).tracked
      var y = x
      for _ in 0..<20_000 { y = stacked([y]) }
      y.backward()
      #expect(try #require(x.gradient).scalar == 1)
    }

    /// In a process of its own, since the counter is the process's.
    @Test("No operation is alive after a step, run backwards or dropped")
    func nothingAlive() async {
      await #expect(processExitsWith: .success) {
        let x = Tensor(shape: [17, 15], [Float](repeating: 0.5, count: 255)).tracked
        let weight = Tensor(shape: [15, 15], [Float](repeating: 0.1, count: 225)).tracked
        let one = PackedSequences(count: 1, length: 17)
        do {
          let y = residualLinear(x, adding: linear(x, weight: weight), weight: weight)
          let loss = crossEntropy(meanPool(y, sequences: one), labels: [3])
          #expect(liveOperations == 4)
          loss.backward()
        }
        #expect(liveOperations == 0)
        _ = linear(x, weight: weight)
        #expect(liveOperations == 0)
      }
    }
  }
}
