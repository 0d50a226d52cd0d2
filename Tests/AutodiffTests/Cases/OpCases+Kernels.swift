// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation
import TestSupport

/// Linear attention with every feature map: fewer features than a vector, whole panels, and a few more
/// than either; sequences of none, one, and several tiles of rows.
extension OpCases {
  static let kernels: [OpCase] =
    [
      rectified([17, 1, 33], heads: 2, width: 16), rectified([130], heads: 1, width: 33),
      floored([65, 15], heads: 2, width: 16, floor: 600),
    ] + [
      random([17, 1, 33], heads: 2, width: 16, features: 32, .softmax),
      random([130, 15], heads: 2, width: 32, features: 65, .softmax),
      random([0, 65, 17], heads: 3, width: 24, features: 15, .softmax, .separate),
      random([33], heads: 1, width: 33, features: 130, .softmax, epsilon: 0.01),
      random([200], heads: 2, width: 16, features: 20, .softmax, epsilon: 0.5),
      random([15, 2], heads: 2, width: 17, features: 1, .softmax, epsilon: 0.1),
      random([33, 1], heads: 2, width: 8, features: 17, .softmax, range: -6...6),
      random([17, 1, 33], heads: 2, width: 16, features: 32, .relu),
      random([130, 0, 15], heads: 1, width: 33, features: 65, .relu),
      random([15, 65], heads: 3, width: 24, features: 17, .relu, .separate, epsilon: 0.1),
    ] + [
      cosine([17, 1, 33], heads: 2, width: 16), cosine([130, 15], heads: 2, width: 32),
      cosine([1, 64], heads: 3, width: 24, .separate), cosine([33, 65], heads: 1, width: 17),
      cosine([0, 15, 17], heads: 2, width: 33), cosine([130], heads: 1, width: 40),
      cosine([15, 17], heads: 2, width: 4),
    ]

  /// The kernels of random features.
  enum RandomKernel: String, Sendable {
    case softmax, relu
  }

  static func rectified(_ lengths: [Int], heads: Int, width: Int) -> OpCase {
    features(
      "max(x, 0) + 0.1", lengths, heads, width, .packed, -2...2, { .relu(epsilon: 0.1) },
      .relu(epsilon: Double(Float(0.1))))
  }

  static func random(
    _ lengths: [Int], heads: Int, width: Int, features count: Int, _ kernel: RandomKernel,
    _ layout: Layout = .packed, epsilon: Float = 1e-3, range: ClosedRange<Float> = -2...2
  ) -> OpCase {
    var data = RandomData("random rows")
    let values = data.normals(heads * count * width).map { Float($0) }
    let rows = Matrix(heads * count, width, values.map(Double.init))
    let oracle: FeatureOracle =
      kernel == .softmax
      ? .randomSoftmax(rows, Double(epsilon)) : .randomRelu(rows, Double(epsilon))
    return features(
      "\(count) random features, \(kernel), epsilon \(epsilon)", lengths, heads, width, layout,
      range, { map(kernel, Tensor(shape: [heads * count, width], values), epsilon) }, oracle)
  }

  private static func map(
    _ kernel: RandomKernel, _ rows: Tensor, _ epsilon: Float
  ) -> FeatureMap {
    kernel == .softmax
      ? .randomSoftmax(rows, epsilon: epsilon) : .randomRelu(rows, epsilon: epsilon)
  }

  static func cosine(
    _ lengths: [Int], heads: Int, width: Int, _ layout: Layout = .packed
  ) -> OpCase {
    features(
      "rectified cosine", lengths, heads, width, layout, -2...2, { .cosine }, .cosine, floor: 1e-6)
  }

  /// A floor between the denominators of the longer and of the shorter sequence.
  static func floored(_ lengths: [Int], heads: Int, width: Int, floor: Float) -> OpCase {
    features(
      "elu + 1", lengths, heads, width, .packed, -2...2, { .eluPlusOne }, .eluPlusOne,
      epsilon: 0.25, floor: floor)
  }

  private static func features(
    _ name: String, _ lengths: [Int], _ heads: Int, _ width: Int, _ layout: Layout,
    _ range: ClosedRange<Float>, _ map: @escaping @Sendable () -> FeatureMap,
    _ oracle: FeatureOracle, epsilon: Float = 0, floor: Float = 0
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths), capacity: (lengths.max() ?? 0) + 3)
    let name =
      "linear attention, \(name), \(lengths), \(heads) heads of \(width), \(layout), "
      + "denominators \(epsilon) \(floor)"
    let inputs = inputs(sequences.rows, sequences.rows, heads * width, layout, range)
    let unchanged = OpCase(
      name, profiled: "linear attention", inputs, operation: { $0[0] }, oracle: { $0[0] })
    let point = parts(unchanged.matrices(unchanged.data), heads * width, layout)
    return OpCase(name, profiled: "linear attention", inputs) { x in
      let (q, k, v) = views(x, heads, width, layout)
      return Autodiff.linearAttention(
        query: q, key: k, value: v, sequences: sequences, features: map(), epsilon: epsilon,
        floor: floor)
    } oracle: { x in
      let (q, k, v) = parts(x, heads * width, layout)
      return Oracle.featureAttention(
        q, k, v, at: (point.0, point.1), heads: heads, offsets: sequences.offsets, oracle,
        epsilon: Double(epsilon), floor: Double(floor))
    }
  }
}
