// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport
import Testing

extension EngineTests {
  /// Weights in one buffer, gradients in another.
  @Suite("Parameter arena")
  struct ParameterArenaTests {
    /// Two weights of one value each, 16 floats apart.
    private func weights(_ arena: ParameterArena) -> [Tensor] {
      [0..<1, 16..<17].map { arena.tensor($0, [1, 1], tracked: true) }
    }

    @Test("A weight that a step does not use gets a gradient of zero in that step")
    func unused() {
      let arena = ParameterArena(count: 32)
      arena.fill(0..<1, [2])
      arena.fill(16..<17, [3])
      let x = Tensor(shape: [1, 1], [7])
      linear(linear(x, weight: weights(arena)[0]), weight: weights(arena)[1]).backward()
      #expect(arena.gradient(0..<1) == [21] && arena.gradient(16..<17) == [14])
      arena.clearGradients()
      linear(x, weight: weights(arena)[0]).backward()
      arena.completeGradients()
      #expect(arena.gradient(0..<1) == [7] && arena.gradient(16..<17) == [0])
    }

    @Test("Gradients add up until they are cleared; the norm is of all of them")
    func accumulation() {
      let arena = ParameterArena(count: 32)
      let x = Tensor(shape: [1, 1], [1.5])
      for _ in 0..<2 { linear(x, weight: weights(arena)[0]).backward() }
      linear(x, weight: weights(arena)[1]).backward()
      #expect(arena.gradient(0..<1) == [3] && arena.gradient(16..<17) == [1.5])
      #expect(abs(arena.gradientNorm() - 11.25.squareRoot()) < 1e-6)
    }

    /// The gradient and the result of a pairwise sum of terms, each of which adds its number.
    private func pairwiseSum(
      _ terms: [Float], groups: Int = 1
    ) -> (gradient: [Float], result: Float) {
      let arena = ParameterArena(count: 32)
      let each = terms.count / groups
      let result = arena.pairwiseSum(0..<groups, adding: +) { group in
        arena.pairwiseSum(group * each..<(group + 1) * each, adding: +) { term in
          let x = Tensor(shape: [1, 1], [terms[term]])
          linear(x, weight: weights(arena)[0]).backward()
          if term == 0 { linear(x, weight: weights(arena)[1]).backward() }
          return terms[term]
        }
      }
      return (arena.gradient(0..<1) + arena.gradient(16..<17), result)
    }

    private func tree(_ terms: ArraySlice<Float>) -> Float {
      let half = (terms.count + 1) / 2
      return terms.count == 1
        ? terms[terms.startIndex] : tree(terms.prefix(half)) + tree(terms.dropFirst(half))
    }

    @Test("Pairwise sums add gradients and results in one tree", arguments: 1...9)
    func pairwise(count: Int) {
      var random = RandomData("pairwise")
      let terms = random.floats(count)
      let found = pairwiseSum(terms)
      #expect(found.gradient == [tree(terms[...]), terms[0]])
      #expect(found.result == found.gradient[0])
    }

    @Test(
      "Groups that share the terms equally add up to the same bits", arguments: [1, 2, 4, 8, 16])
    func groups(count: Int) {
      var random = RandomData("pairwise")
      let terms = random.floats(16)
      let found = pairwiseSum(terms, groups: count)
      #expect(found == pairwiseSum(terms))
      #expect(found.result != terms.reduce(0, +))
    }

    @Test("A weight's values can be replaced and read", arguments: [1, 15, 17, 130])
    func values(count: Int) {
      var random = RandomData("arena")
      let arena = ParameterArena(count: 160)
      let values = random.floats(count)
      arena.fill(16..<16 + count, values)
      #expect(arena.values(16..<16 + count) == values)
      #expect(arena.tensor(16..<16 + count, [count], tracked: false).values == values)
      #expect(arena.values(0..<16) == [Float](repeating: 0, count: 16))
      #expect(arena.values(16 + count..<160).allSatisfy { $0 == 0 })
    }

    @Test("The norm is that of a sum in double precision", arguments: [1, 17, 1025, 5000])
    func norm(count: Int) {
      var random = RandomData("norm")
      let arena = ParameterArena(count: count)
      let weight = arena.tensor(0..<count, [1, count], tracked: true)
      let x = random.floats(count)
      linear(Tensor(shape: [1, count], x), weight: weight).backward()
      let expected = euclidean(x.map(Double.init))
      #expect(abs(arena.gradientNorm() - expected) < 1e-6 * expected)
    }

    @Test("Adam's steps are those of the formula in double precision", arguments: [1, 17, 20_000])
    func adam(count: Int) {
      var random = RandomData("adam")
      let arena = ParameterArena(count: count)
      let moments = ParameterArena.Moments(count: count)
      let start = random.floats(count)
      arena.fill(0..<count, start)
      var (p, m, v) = (start.map(Double.init), [Double](), [Double]())
      m = p.map { _ in 0 }
      v = m
      for step in 1...3 {
        arena.clearGradients()
        let g = random.floats(count)
        let weight = arena.tensor(0..<count, [1, count], tracked: true)
        linear(Tensor(shape: [1, count], g), weight: weight).backward()
        let (c1, c2) = (1 - power(0.9, step), 1 - power(0.99, step))
        arena.adamStep(
          0..<count, moments,
          .init(
            rate: 0.01, decay: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-3,
            inverseCorrection1: Float(1 / c1), inverseCorrection2: Float(1 / c2),
            gradientScale: 0.5))
        for i in 0..<count {
          let gradient = 0.5 * Double(g[i])
          m[i] = 0.9 * m[i] + 0.1 * gradient
          v[i] = 0.99 * v[i] + 0.01 * gradient * gradient
          p[i] = p[i] * (1 - 0.01 * 0.1) - 0.01 * (m[i] / c1) / ((v[i] / c2).squareRoot() + 1e-3)
        }
      }
      let found = moments.values(0..<count)
      #expect(distance(arena.values(0..<count), p.map(Float.init)) < 1e-6)
      #expect(distance(found.first, m.map(Float.init)) < 1e-6)
      #expect(distance(found.second, v.map(Float.init)) < 1e-6)
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
      (0..<exponent).reduce(1) { result, _ in result * base }
    }
  }
}
