// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import TestSupport
import Testing

/// x·Wᵀ + b with operands of bytes, by the engine and by the definition in integers.
private struct ByteProduct {
  let rows, inner, columns: Int
  var x, weight: [Float]
  let bias: [Float]

  init(rows: Int, inner: Int, columns: Int) {
    (self.rows, self.inner, self.columns) = (rows, inner, columns)
    var random = RandomData("bytes \(rows) \(inner) \(columns)")
    x = random.floats(rows * inner)
    weight = random.floats(columns * inner)
    bias = random.floats(columns)
  }

  var result: [Float] {
    linear(
      Tensor(shape: [rows, inner], x), weight: Tensor(shape: [columns, inner], weight),
      bias: Tensor(shape: [columns], bias), precision: .int8
    ).values
  }

  /// y = s·t·Σ q·p + b: the sum in integers, the scales as floats in this order.
  var expected: [Float] {
    (0..<rows * columns).map { place in
      let row = quantised(Array(x[place / columns * inner..<(place / columns + 1) * inner]))
      let column = quantised(
        Array(weight[place % columns * inner..<(place % columns + 1) * inner]))
      let sum = zip(row.bytes, column.bytes).reduce(0) { $0 + $1.0 * $1.1 }
      return Float(sum) * column.scale * row.scale + bias[place % columns]
    }
  }

  private func quantised(_ row: [Float]) -> (bytes: [Int], scale: Float) {
    let largest = row.reduce(Float(0)) { max($0, abs($1)) }
    if largest < 0x1p-100 { return (row.map { _ in 0 }, 1) }
    let inverse = 127 / largest
    return (row.map { Int(($0 * inverse).rounded(.toNearestOrEven)) }, largest / 127)
  }
}

/// Results and gradients of several operations, as one number a line.
private func digests() -> String {
  let products = [(9, 33, 35), (130, 1100, 64), (1, 4, 1)].map {
    ByteProduct(rows: $0.0, inner: $0.1, columns: $0.2).result
  }
  let more = ByteCases.all.map { $0.run().flatMap { $0 } }
  return (products.map { $0.map(\.bitPattern) } + more).map { bits in
    "\(fnv1a(bits.map { String($0, radix: 36) }.joined(separator: " ")))"
  }.joined(separator: "\n")
}

/// Operations whose linear maps are of bytes: tails of fours, panels and slices, sums that go on.
private enum ByteCases {
  static let all: [OpCase] = [
    OpCases.linear(33, 65, 130, .relu, precision: .int8),
    OpCases.normalizedLinear(33, 64, 130, precision: .int8),
    OpCases.residualLinear(130, 33, 64, precision: .int8),
    OpCases.perceptron(33, 8, 130, 8, .gelu, precision: .int8),
    OpCases.feedForward(130, 33, 300, .gelu, precision: .int8),
    OpCases.feedForward(61, 256, 260, .gelu, precision: .int8),
    OpCases.gated(130, 33, 64, precision: .int8),
    OpCases.grouped(33, 17, 24, groups: 3, precision: .int8),
  ]
}

extension EngineTests {
  @Suite("Bytes")
  struct BytesTests {
    @Test("A product is that of integers, exactly", arguments: 1...9)
    func product(rows: Int) {
      for (inner, columns) in [(1, 1), (3, 31), (4, 32), (7, 33), (64, 32), (129, 67), (1029, 17)] {
        let product = ByteProduct(rows: rows, inner: inner, columns: columns)
        #expect(
          product.result.map(\.bitPattern) == product.expected.map(\.bitPattern),
          "\(inner) x \(columns)")
      }
    }

    @Test("Rows of zeros and of next to nothing are zeros; the largest bytes do not saturate")
    func extremes() {
      var product = ByteProduct(rows: 4, inner: 4096, columns: 33)
      for i in 0..<4096 {
        product.x[i] = 0
        product.x[4096 + i] = 1e-35
        product.x[2 * 4096 + i] = -3
        product.weight[i] = 5
        product.weight[4096 + i] = 0
      }
      #expect(product.result.map(\.bitPattern) == product.expected.map(\.bitPattern))
      #expect(product.result[0] == product.bias[0] && product.result[33] == product.bias[0])
    }

    @Test("NaN and infinities make their row, or their output, NaN, and no other")
    func notFinite() {
      for value in [Float.nan, .infinity, -.infinity] {
        var product = ByteProduct(rows: 3, inner: 70, columns: 5)
        product.x[70 + 66] = value
        product.weight[2 * 70 + 1] = value
        let result = product.result
        for place in result.indices {
          #expect(result[place].isNaN == (place / 5 == 1 || place % 5 == 2), "\(place)")
        }
      }
    }

    @Test("Results are near the oracle's", arguments: ByteCases.all)
    fileprivate func forward(op: OpCase) {
      let error = op.forwardError()
      #expect(error <= 3e-2 && error > 0)
    }

    /// Near the corner of a rectifier rounding may turn a slope on or off.
    @Test("Gradients pass straight through the rounding", arguments: ByteCases.all)
    fileprivate func gradients(op: OpCase) {
      let most = op.name.contains("relu") ? 0.2 : 5e-2
      for error in op.gradientErrors() { #expect(error <= most) }
    }

    @Test("Beside rounded weights they are the gradients of floats at the rounded rows, exactly")
    func straightThrough() {
      var random = RandomData("straight through")
      let (rows, inner, outputs) = (70, 130, 35)
      let x = random.floats(rows * inner)
      let weight = random.floats(outputs * inner)
      let rounded = { (values: [Float], width: Int) -> [Float] in
        byteRounded(Tensor(shape: [values.count / width, width], values)).values
      }
      let gradients = { (x: [Float], precision: Precision) -> [[Float]] in
        let leaves = (
          Tensor(shape: [rows, inner], x).tracked,
          Tensor(shape: [outputs, inner], rounded(weight, inner)).tracked
        )
        var random = RandomData("sum")
        let y = linear(leaves.0, weight: leaves.1, precision: precision)
        RandomSum(rows: rows, columns: outputs, &random)(y).backward()
        return [leaves.0, leaves.1].map { $0.gradient?.values ?? [] }
      }
      // The rows' scale is made with one rounding less than a weight's.
      let kernel = x.indices.map { place -> Float in
        let row = Array(x[place / inner * inner..<(place / inner + 1) * inner])
        let largest = row.reduce(Float(0)) { max($0, abs($1)) }
        return (x[place] * (127 / largest)).rounded(.toNearestOrEven) * (largest / 127)
      }
      #expect(gradients(x, .int8) == gradients(kernel, .fp32))
    }

    @Test("A rounded weight's gradient is that of the weight; rounding twice is rounding once")
    func rounded() {
      let leaf = Tensor(shape: [3, 4], [0.3, -1.27, 0.004, 0.635, 0, 0, 0, 0, 5, -2, 1, 4]).tracked
      let y = byteRounded(leaf)
      #expect(Array(y.values.prefix(8)) == [30, -127, 0, 64, 0, 0, 0, 0].map { $0 * (1.27 / 127) })
      #expect(byteRounded(y).values == y.values)
      var random = RandomData("rounded")
      let sum = RandomSum(rows: 3, columns: 4, &random)
      sum(y).backward()
      let plain = Tensor(shape: [3, 4], y.values).tracked
      sum(plain).backward()
      #expect(leaf.gradient?.values == plain.gradient?.values)
    }

    /// Each row has a scale of its own.
    @Test("A row's result does not depend on the rows beside it")
    func rows() {
      let product = ByteProduct(rows: 70, inner: 100, columns: 40)
      let whole = product.result
      for row in [0, 7, 63, 64, 69] {
        let result = linear(
          Tensor(shape: [1, 100], Array(product.x[row * 100..<(row + 1) * 100])),
          weight: Tensor(shape: [40, 100], product.weight),
          bias: Tensor(shape: [40], product.bias), precision: .int8
        ).values
        #expect(result == Array(whole[row * 40..<(row + 1) * 40]))
      }
    }

    @Test("The same bits without the processor's instructions, and on any number of threads")
    func sameBits() async throws {
      let native = try await #require(
        processExitsWith: .success, observing: [\.standardOutputContent]
      ) {
        Workers.shared.limit(to: 1)
        print(digests())
      }
      let portable = try await #require(
        processExitsWith: .success, observing: [\.standardOutputContent]
      ) {
        setenv("LRA_ISA", BuildTarget.vectorBits == 512 ? "avx512" : "avx2", 1)
        Workers.shared.limit(to: 3)
        print(digests())
      }
      let texts = [native, portable].map {
        String(decoding: $0.standardOutputContent, as: UTF8.self)
      }
      #expect(texts[0] == texts[1] && texts[0].split(separator: "\n").count >= 9)
    }
  }
}
