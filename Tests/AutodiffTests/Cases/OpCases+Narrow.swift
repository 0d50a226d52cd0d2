// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// Linear maps through a narrow layer, and maps of their own for blocks of columns.
extension OpCases {
  static let narrow: [OpCase] = [
    grouped(1, 1, 1, groups: 1), grouped(33, 8, 17, groups: 2), grouped(130, 33, 15, groups: 3),
    grouped(65, 64, 64, groups: 2, bias: false), grouped(700, 5, 33, groups: 4),
    grouped(17, 300, 32, groups: 2), grouped(15, 32, 130, groups: 3, bias: false),
    perceptron(1, 15, 17, 1, .gelu), perceptron(33, 8, 130, 8, .gelu),
    perceptron(130, 33, 17, 64, .relu), perceptron(17, 300, 33, 15, .gelu, rate: 0.2),
    perceptron(700, 15, 64, 17, .gelu, rate: 0.1),
  ]

  static func grouped(
    _ n: Int, _ i: Int, _ o: Int, groups: Int, bias: Bool = true,
    precision: Precision = .fp32
  ) -> OpCase {
    OpCase(
      "grouped linear \(n)x\(i)x\(o), \(groups) groups\(bias ? "" : " without bias")"
        + suffix(precision),
      profiled: "grouped linear",
      [.init(n, groups * i), .init(groups * o, i)] + (bias ? [.init(groups * o)] : [])
    ) { x in
      Autodiff.groupedLinear(
        x[0], weight: x[1], bias: bias ? x[2] : nil, groups: groups, precision: precision)
    } oracle: { x in
      Oracle.groupedLinear(x[0], x[1], bias ? x[2].values : nil, groups: groups)
    }
  }

  static func perceptron(
    _ n: Int, _ i: Int, _ f: Int, _ o: Int, _ activation: Activation, rate: Float = 0,
    precision: Precision = .fp32
  ) -> OpCase {
    let drop = DropoutOracle(rate: rate, key: 5 << 40, firstRow: 4)
    return OpCase(
      "perceptron \(n)x\(i)x\(f)x\(o) \(activation), dropout \(rate)\(suffix(precision))",
      profiled: "perceptron",
      [
        .init(n, i), .init(f, i, range: -0.3...0.3), .init(f), .init(o, f, range: -0.3...0.3),
      ]
    ) { x in
      Autodiff.perceptron(
        x[0], inner: (x[1], x[2]), outer: x[3], activation: activation, dropout: drop.dropout,
        precision: precision)
    } oracle: { x in
      let inside = Oracle.linear(x[0], x[1], x[2].values).map(function(activation))
      return Oracle.linear(drop.apply(inside), x[3])
    }
  }
}
