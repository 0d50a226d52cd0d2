// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import TestSupport
import Testing

/// What every case computes, as one number a line, and the bits of a product of hostile numbers.
private func digests() -> String {
  let cases = OpCases.bfloat16.map { op in
    let bytes = op.run().flatMap { $0 }.map { String($0, radix: 36) }.joined(separator: " ")
    return "\(op.name): \(fnv1a(bytes))"
  }
  let bits = Product(rows: 9, inner: 33, columns: 35, hostile: true).result.map {
    $0.isNaN ? "NaN" : String($0.bitPattern, radix: 16)
  }
  return (cases + [bits.joined(separator: " ")]).joined(separator: "\n")
}

/// x·Wᵀ, by the engine and by the definition.
private struct Product {
  let rows, inner, columns: Int
  let x, weight: [Float]

  init(rows: Int, inner: Int, columns: Int, hostile: Bool) {
    (self.rows, self.inner, self.columns) = (rows, inner, columns)
    var random = RandomData("product \(rows) \(inner) \(columns)")
    var x = random.floats(rows * inner)
    var weight = random.floats(columns * inner)
    if hostile {
      let special: [Float] = [
        .nan, .infinity, -.infinity, Float(bitPattern: 0x0001_16C2), Float(bitPattern: 0x800A_E398),
        -0.0, .greatestFiniteMagnitude, 1e-20,
        Float(bitPattern: 0x7F80_0001), Float(bitPattern: 0x007F_FFFF),
      ]
      for (index, value) in special.enumerated() {
        x[(index * 31) % x.count] = value
        weight[(index * 101) % weight.count] = value
      }
    }
    (self.x, self.weight) = (x, weight)
  }

  var result: [Float] {
    linear(
      Tensor(shape: [rows, inner], x), weight: Tensor(shape: [columns, inner], weight),
      precision: .bf16
    ).values
  }

  /// Two fused multiply-adds a pair, the second element first; sums of 512 elements are added up.
  var expected: [Float] {
    (0..<rows * columns).map { place in
      let (left, right) = (place / columns * inner, place % columns * inner)
      var total: Float = 0
      for first in stride(from: 0, to: inner, by: 512) {
        var sum: Float = 0
        for p in stride(from: first, to: min(inner, first + 512), by: 2) {
          if p + 1 < inner {
            sum.addProduct(bfloat16(x[left + p + 1]), bfloat16(weight[right + p + 1]))
          }
          sum.addProduct(bfloat16(x[left + p]), bfloat16(weight[right + p]))
        }
        total = first == 0 ? sum : total + sum
      }
      return total
    }
  }
}

/// The nearest bfloat16, of two the even one; a denormal becomes zero.
private func bfloat16(_ x: Float) -> Float {
  if x.isNaN { return x }
  let bits = x.bitPattern
  if bits & 0x7FFF_FFFF < 0x0080_0000 { return Float(bitPattern: bits & 0x8000_0000) }
  return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
}

extension EngineTests {
  @Suite("bfloat16")
  struct BFloat16Tests {
    /// Operands are off by up to 2⁻⁸ of their size, and the errors of a sum's terms cancel in part.
    static let forwardTolerance = 1e-2
    /// The same, through three products.
    static let gradientTolerance = 3e-2

    @Test("A product has the bits of its definition", arguments: 1...9)
    func product(rows: Int) {
      for (inner, columns) in [(1, 1), (7, 31), (64, 32), (33, 67), (1025, 17)] {
        let product = Product(rows: rows, inner: inner, columns: columns, hostile: false)
        #expect(
          product.result.map(\.bitPattern) == product.expected.map(\.bitPattern),
          "\(inner) x \(columns)")
      }
    }

    @Test("So has one of NaN, infinities, denormal and largest numbers")
    func hostileProduct() {
      let product = Product(rows: 9, inner: 33, columns: 35, hostile: true)
      for (found, expected) in zip(product.result, product.expected) {
        #expect(found.bitPattern == expected.bitPattern || (found.isNaN && expected.isNaN))
      }
    }

    @Test("Operands are rounded to the nearest, of two to the even one")
    func rounding() {
      let pairs: [(Float, UInt32)] = [
        (1.003_906_25, 0x3F80), (1.011_718_75, 0x3F82), (3.402_823_5e38, 0x7F80),
        (-1.003_906_25, 0xBF80), (Float(bitPattern: 0x0001_16C2), 0),
      ]
      let one = Tensor(shape: [1, 1], [1])
      for (value, upperHalf) in pairs {
        let y = linear(Tensor(shape: [1, 1], [value]), weight: one, precision: .bf16).scalar
        #expect(y.bitPattern == upperHalf << 16, "\(value)")
      }
    }

    @Test("Results are near the oracle's", arguments: OpCases.bfloat16)
    func forward(op: OpCase) {
      let error = op.forwardError()
      #expect(error <= Self.forwardTolerance && error > 0)
    }

    @Test("Gradients are near the oracle's derivatives", arguments: OpCases.bfloat16)
    func gradient(op: OpCase) {
      let errors = op.gradientErrors()
      #expect(errors.allSatisfy { $0 <= Self.gradientTolerance }, "\(errors)")
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
        setenv("LRA_ISA", "avx512", 1)
        Workers.shared.limit(to: 3)
        print(digests())
      }
      let lines = [native, portable].map {
        String(decoding: $0.standardOutputContent, as: UTF8.self).split(separator: "\n")
      }
      #expect(lines[0].count >= OpCases.bfloat16.count + 1)
      #expect(lines[0].count == lines[1].count)
      for (a, b) in zip(lines[0], lines[1]) { #expect(a == b) }
    }
  }
}
