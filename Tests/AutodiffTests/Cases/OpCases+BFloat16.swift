// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// Operations whose operands are rounded to bfloat16: odd inner sizes, one to nine rows, partial panels,
/// depths above 512, several pieces of sums, weights that are gone through in slices.
extension OpCases {
  static let bfloat16: [OpCase] = [
    linear(1, 1, 1, precision: .bf16), linear(9, 17, 33, bias: false, precision: .bf16),
    linear(64, 64, 64, precision: .bf16),
    linear(33, 65, 130, .relu, precision: .bf16),
    linear(130, 1100, 17, .gelu, bias: false, precision: .bf16),
    linear(700, 15, 17, .gelu, precision: .bf16), linear(71, 270, 530, precision: .bf16),
    normalizedLinear(1, 15, 17, precision: .bf16), normalizedLinear(33, 64, 130, precision: .bf16),
    normalizedLinear(700, 17, 15, precision: .bf16),
    residualLinear(33, 17, 15, rate: 0.3, precision: .bf16),
    residualLinear(130, 33, 64, precision: .bf16),
    perceptron(33, 8, 130, 8, .gelu, precision: .bf16),
    perceptron(130, 33, 17, 64, .relu, rate: 0.1, precision: .bf16),
    feedForward(1, 15, 17, .gelu, precision: .bf16),
    feedForward(130, 33, 300, .gelu, rate: 0.2, precision: .bf16),
    feedForward(261, 256, 260, .gelu, precision: .bf16),
    softmax([17, 1, 33], heads: 2, width: 16, precision: .bf16),
    softmax([131, 1, 259], heads: 2, width: 33, rate: 0.2, precision: .bf16),
    softmax([17, 1, 70], [5, 33, 133], heads: 2, width: 16, .queryApart, precision: .bf16),
    pattern(
      "blocks of 17", [65, 1, 33], heads: 3, width: 24, blocks(17), rate: 0.2, precision: .bf16),
    pattern("band", [300, 1, 70], heads: 2, width: 16, band(-20...33), precision: .bf16),
    pattern("shuffled", [131, 0, 15, 1], heads: 2, width: 16, shuffled, precision: .bf16),
    project([17, 1, 33], columns: 33, to: 15, of: 33, groups: [0], precision: .bf16),
    project([300, 1], columns: 130, to: 64, of: 301, groups: [0, 1], precision: .bf16),
  ]

  static func suffix(_ precision: Precision) -> String {
    precision == .fp32 ? "" : ", \(precision)"
  }
}
