// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport
import Testing

extension EngineTests {
  /// Each operation that does several things at once against the operations that do one each.
  @Suite("Fused operations")
  struct FusedTests {
    typealias Operation = ([Tensor]) -> Tensor
    static let sizes = [(1, 15, 17), (33, 64, 130), (130, 17, 33), (600, 33, 15)]

    /// Values, and gradients of all inputs.
    func expectSame(
      _ inputs: [OpCase.Input], _ fused: @escaping Operation, _ plain: @escaping Operation
    ) throws {
      var random = RandomData("fused")
      let data = inputs.map { random.floats($0.count, in: $0.range) }
      let runs = try [fused, plain].map { operation -> [[Float]] in
        let leaves = zip(inputs, data).map { Tensor(shape: $0.shape, $1).tracked }
        let y = operation(leaves)
        let values = y.values
        var sum = RandomData("sum")
        RandomSum(rows: y.rows, columns: y.columns, &sum)(y).backward()
        return try [values] + leaves.map { try #require($0.gradient).values }
      }
      for (index, (found, expected)) in zip(runs[0], runs[1]).enumerated() {
        let scale = max(expected.map(abs).max() ?? 0, 1e-3)
        #expect(distance(found, expected) <= 5e-6 * scale, "\(index == 0 ? "y" : "input \(index)")")
      }
    }

    @Test("normalizedLinear is layerNorm and linear", arguments: sizes)
    func normalized(n: Int, i: Int, o: Int) throws {
      try expectSame(
        [.init(n, i), .init(i, range: 0.5...1.5), .init(i), .init(o, i), .init(o)]
      ) { x in
        normalizedLinear(x[0], norm: Norm(scale: x[1], shift: x[2]), weight: x[3], bias: x[4])
      } _: { x in
        linear(
          layerNorm(x[0], norm: Norm(scale: x[1], shift: x[2])), weight: x[3], bias: x[4])
      }
    }

    @Test(
      "feedForward is layerNorm, linear and residualLinear", arguments: sizes,
      [Activation.gelu, .relu])
    func wholeBlock(size: (Int, Int, Int), activation: Activation) throws {
      let (n, e, f) = size
      let drop = Dropout(rate: 0.2, key: 8)
      try expectSame([
        .init(n, e), .init(e, range: 0.5...1.5), .init(e), .init(f, e, range: -0.3...0.3), .init(f),
        .init(e, f, range: -0.3...0.3), .init(e),
      ]) { x in
        feedForward(
          x[0], norm: Norm(scale: x[1], shift: x[2]), inner: (x[3], x[4]), outer: (x[5], x[6]),
          activation: activation, dropout: (.none, drop))
      } _: { x in
        let normalized = layerNorm(x[0], norm: Norm(scale: x[1], shift: x[2]))
        let inside = linear(normalized, weight: x[3], bias: x[4], activation: activation)
        return residualLinear(x[0], adding: inside, weight: x[5], bias: x[6], dropout: drop)
      }
    }

    @Test("One product with stacked weights is three products", arguments: sizes)
    func stackedWeights(n: Int, i: Int, o: Int) throws {
      let one = PackedSequences(count: 1, length: n)
      try expectSame([.init(n, i), .init(o, i), .init(o, i), .init(o, i)]) { x in
        let all = linear(x[0], weight: stacked([x[1], x[2], x[3]]))
        let heads = (0..<3).map { HeadsView(all, column: $0 * o, count: 1, width: o) }
        return attention(
          query: heads[0], key: heads[1], value: heads[2], queries: one, keys: one)
      } _: { x in
        let heads = (1...3).map { HeadsView(linear(x[0], weight: x[$0]), count: 1, width: o) }
        return attention(
          query: heads[0], key: heads[1], value: heads[2], queries: one, keys: one)
      }
    }
  }
}
