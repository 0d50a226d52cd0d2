// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// Operations that treat every row alike. Sizes leave tails of vectors (16), row blocks (8), panels
/// (32) and tiles (64); widths above 256 cut the depth of a product; many rows make several pieces
/// of sums; weights from 2¹⁷ floats on are gone through in slices, from 2¹⁸ on in tiles of 256 rows.
extension OpCases {
  static let rows: [OpCase] =
    [
      linear(1, 1, 1), linear(15, 17, 33, bias: false), linear(64, 64, 64),
      linear(33, 64, 130, .relu), linear(130, 33, 17, .gelu, bias: false), linear(17, 300, 15),
      linear(17, 300, 15, .gelu), linear(15, 17, 300), linear(700, 15, 17, .gelu),
      linear(1100, 32, 1), linear(130, 33, 15, .relu, bias: false), linear(70, 270, 530),
      normalizedLinear(1, 15, 17), normalizedLinear(33, 64, 130),
      normalizedLinear(130, 33, 17, bias: false), normalizedLinear(17, 300, 33),
      normalizedLinear(700, 17, 15), normalizedSums([1], block: 4, 15),
      normalizedSums([33, 0, 5], block: 8, 17), normalizedSums([150], block: 70, 64, bias: false),
      normalizedSums([64, 130], block: 64, 33),
      residualLinear(1, 15, 17), residualLinear(33, 64, 130), residualLinear(700, 17, 15),
      residualLinear(17, 300, 33, bias: false), residualLinear(33, 17, 15, rate: 0.3),
      residualLinear(130, 33, 64, rate: 0.1, bias: false), residualLinear(300, 513, 520),
      layerNorm(1, 15), layerNorm(33, 17), layerNorm(130, 64), layerNorm(700, 33),
      layerNorm(17, 300),
    ]

  private static func bias(_ x: [Tensor], _ present: Bool) -> Tensor? { present ? x.last : nil }

  static func linear(
    _ n: Int, _ i: Int, _ o: Int, _ activation: Activation = .identity, bias: Bool = true,
    precision: Precision = .fp32
  ) -> OpCase {
    OpCase(
      "linear \(n)x\(i)x\(o) \(activation)\(bias ? "" : " without bias")\(suffix(precision))",
      profiled: "linear",
      [.init(n, i), .init(o, i)] + (bias ? [.init(o)] : [])
    ) { x in
      Autodiff.linear(
        x[0], weight: x[1], bias: self.bias(x, bias), activation: activation,
        precision: precision)
    } oracle: { x in
      Oracle.linear(x[0], x[1], bias ? x[2].values : nil).map(function(activation))
    }
  }

  static func function(_ activation: Activation) -> (Double) -> Double {
    switch activation {
    case .identity: { $0 }
    case .relu: Oracle.relu
    case .gelu: Oracle.gelu
    }
  }

  static func normalizedLinear(
    _ n: Int, _ i: Int, _ o: Int, bias: Bool = true, precision: Precision = .fp32
  ) -> OpCase {
    OpCase(
      "normalized linear \(n)x\(i)x\(o)\(bias ? "" : " without bias")\(suffix(precision))",
      profiled: "normalized linear",
      [.init(n, i), .init(i, range: 0.5...1.5), .init(i), .init(o, i)] + (bias ? [.init(o)] : [])
    ) { x in
      Autodiff.normalizedLinear(
        x[0], norm: Norm(scale: x[1], shift: x[2]), weight: x[3], bias: self.bias(x, bias),
        precision: precision)
    } oracle: { x in
      Oracle.linear(
        Oracle.layerNorm(x[0], scale: x[1].values, shift: x[2].values), x[3],
        bias ? x[4].values : nil)
    }
  }

  /// Both results, one below the other.
  static func normalizedSums(
    _ lengths: [Int], block: Int, _ i: Int, bias: Bool = true
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    return OpCase(
      "normalized linear \(lengths) of \(i), sums of \(block)\(bias ? "" : ", without bias")",
      profiled: "normalized linear",
      [.init(sequences.rows, i), .init(i, range: 0.5...1.5), .init(i), .init(i, i)]
        + (bias ? [.init(i)] : [])
    ) { x in
      let (rows, sums) = Autodiff.normalizedLinear(
        x[0], norm: Norm(scale: x[1], shift: x[2]), weight: x[3], bias: self.bias(x, bias),
        sumsOf: SequencePieces(sequences, length: block))
      return stacked([rows, sums])
    } oracle: { x in
      let normalized = Oracle.layerNorm(x[0], scale: x[1].values, shift: x[2].values)
      let cut = Oracle.cut(sequences.offsets) { Array(stride(from: 0, to: $0, by: block)) }
      return Matrix.stacked([
        Oracle.linear(normalized, x[3], bias ? x[4].values : nil),
        Oracle.reduce(normalized, cut, mean: false),
      ])
    }
  }

  static func residualLinear(
    _ n: Int, _ i: Int, _ o: Int, rate: Float = 0, bias: Bool = true,
    precision: Precision = .fp32
  ) -> OpCase {
    let drop = DropoutOracle(rate: rate, key: 0x1234_5678_9ABC_DEF0, firstRow: 5)
    return OpCase(
      "residual linear \(n)x\(i)x\(o), dropout \(rate)\(bias ? "" : ", without bias")"
        + suffix(precision),
      profiled: "residual linear",
      [.init(n, o), .init(n, i), .init(o, i)] + (bias ? [.init(o)] : [])
    ) { x in
      Autodiff.residualLinear(
        x[0], adding: x[1], weight: x[2], bias: self.bias(x, bias), dropout: drop.dropout,
        precision: precision)
    } oracle: { x in
      x[0] + drop.apply(Oracle.linear(x[1], x[2], bias ? x[3].values : nil))
    }
  }

  static func layerNorm(_ n: Int, _ width: Int) -> OpCase {
    OpCase(
      "layer norm \(n)x\(width)", profiled: "layer norm",
      [.init(n, width), .init(width, range: 0.5...1.5), .init(width)]
    ) { x in
      Autodiff.layerNorm(x[0], norm: Norm(scale: x[1], shift: x[2]))
    } oracle: { x in
      Oracle.layerNorm(x[0], scale: x[1].values, shift: x[2].values)
    }
  }
}

/// Whole feed-forward blocks.
extension OpCases {
  static let blocks: [OpCase] = [
    feedForward(1, 15, 17, .gelu), feedForward(33, 64, 130, .gelu), feedForward(33, 17, 15, .relu),
    feedForward(130, 33, 300, .gelu), feedForward(15, 300, 33, .relu),
    feedForward(700, 15, 17, .gelu),
    feedForward(33, 17, 33, .gelu, rate: 0.2), feedForward(130, 64, 64, .relu, rate: 0.1),
    feedForward(70, 33, 260, .gelu, rate: 0.2), feedForward(260, 256, 260, .gelu, rate: 0.1),
    feedForward(260, 256, 260, .gelu),
  ]

  static func feedForward(
    _ n: Int, _ e: Int, _ f: Int, _ activation: Activation, rate: Float = 0,
    precision: Precision = .fp32
  ) -> OpCase {
    let inside = DropoutOracle(rate: rate, key: 77)
    let outside = DropoutOracle(rate: rate, key: 78 << 40, firstRow: 3)
    return OpCase(
      "feed-forward \(n)x\(e)x\(f) \(activation), dropout \(rate)\(suffix(precision))",
      profiled: "feed-forward",
      [
        .init(n, e), .init(e, range: 0.5...1.5), .init(e), .init(f, e, range: -0.3...0.3), .init(f),
        .init(e, f, range: -0.3...0.3), .init(e),
      ]
    ) { x in
      Autodiff.feedForward(
        x[0], norm: Norm(scale: x[1], shift: x[2]), inner: (x[3], x[4]), outer: (x[5], x[6]),
        activation: activation, dropout: (inside.dropout, outside.dropout), precision: precision)
    } oracle: { x in
      let normalized = Oracle.layerNorm(x[0], scale: x[1].values, shift: x[2].values)
      let inner = Oracle.linear(normalized, x[3], x[4].values).map(function(activation))
      return x[0] + outside.apply(Oracle.linear(inside.apply(inner), x[5], x[6].values))
    }
  }
}
