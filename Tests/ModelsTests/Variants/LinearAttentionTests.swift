// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation
import TestSupport
import Testing

/// What holds for linear attention with each feature map.
@Suite("Linear attention")
struct LinearAttentionTests {
  static let names = ["elu", "relu", "random softmax", "random relu", "cosine"]
  static let width = 16
  static let heads = 2

  static func features(_ name: String) -> FeatureMap {
    var random = RandomData("rows")
    let rows = Tensor(
      shape: [heads * 20, width], random.normals(heads * 20 * width).map { Float($0) })
    return switch name {
    case "elu": .eluPlusOne
    case "relu": .relu(epsilon: 1e-3)
    case "random softmax": .randomSoftmax(rows, epsilon: 1e-4)
    case "random relu": .randomRelu(rows, epsilon: 1e-3)
    default: .cosine
    }
  }

  /// One sequence; queries, keys and values are the columns of `x`.
  private func attend(_ x: [[Float]], _ features: FeatureMap) -> [[Float]] {
    let columns = Self.heads * Self.width
    let tensor = Tensor(shape: [x.count, 3 * columns], x.flatMap { $0 })
    let views = (0..<3).map {
      HeadsView(tensor, column: $0 * columns, count: Self.heads, width: Self.width)
    }
    let y = linearAttention(
      query: views[0], key: views[1], value: views[2],
      sequences: PackedSequences(count: 1, length: x.count),
      features: features, epsilon: 0, floor: 1e-30
    ).values
    return x.indices.map { Array(y[$0 * columns..<($0 + 1) * columns]) }
  }

  private func rows(_ count: Int, scale: Float = 1) -> [[Float]] {
    var random = RandomData("linear attention")
    return (0..<count).map { _ in
      random.normals(3 * Self.heads * Self.width).map { Float($0) * scale }
    }
  }

  /// Values of 1 make every result the sum of its weights.
  @Test("Weights add up to one", arguments: names, [1, 30])
  func sums(name: String, scale: Float) {
    var x = rows(70, scale: scale)
    for r in x.indices {
      for c in 2 * Self.heads * Self.width..<x[r].count { x[r][c] = 1 }
    }
    let results = attend(x, Self.features(name)).flatMap { $0 }
    #expect(results.allSatisfy { abs($0 - 1) < 1e-5 })
  }

  /// The two parts of a sequence exchanged; backwards it would keep all distances.
  @Test("The order of the rows does not matter, but to the cosine", arguments: names)
  func order(name: String) {
    let x = rows(70)
    let features = Self.features(name)
    let exchanged = attend(Array(x[25...] + x[..<25]), features)
    let back = Array(exchanged[45...] + exchanged[..<45])
    let error = zip(attend(x, features), back).map { distance($0, $1) }.max() ?? 0
    #expect(name == "cosine" ? error > 0.01 : error < 1e-5)
  }

  /// Equal queries and keys leave only the cosine, and values of the unit vectors show the weights.
  ///
  /// The cosine would reach zero at the distance L, one beyond the last key.
  @Test("The cosine's weights are those of the formula, and fall to zero at the distance L")
  func cosine() {
    let length = Self.width
    let columns = Self.heads * Self.width
    let x = (0..<length).map { row in
      [Float](repeating: 1, count: 2 * columns)
        + (0..<columns).map { $0 % Self.width == row ? Float(1) : 0 }
    }
    let weights = attend(x, .cosine)
    for i in 0..<length {
      let expected = (0..<length).map { cos(Double.pi * Double(i - $0) / Double(2 * length)) }
      let sum = expected.reduce(0, +)
      #expect(distance(Array(weights[i][..<length]), expected.map { Float($0 / sum) }) < 1e-6)
    }
    let farthest = Double(weights[0][length - 1] / weights[0][0])
    #expect(abs(farthest - sin(Double.pi / Double(2 * length))) < 1e-5)
  }
}
