// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport
import Testing

@Suite("Rounded floats")
struct RoundedFloatsTests {
  @Test("Values become the nearest bfloat16, of two the even one, and stay there")
  func values() {
    let values: [Float] = [
      1.003_906_25, 1.011_718_75, -1.003_906_25, 3.402_823_5e38, .infinity, -.infinity, 0, -0.0,
      Float(bitPattern: 1), 2,
    ]
    let expected: [Float] = [
      1, 1.015_625, -1, .infinity, .infinity, -.infinity, 0, -0.0, 0, 2,
    ]
    let once = rounded(values)
    #expect(once == expected)
    #expect(once[7].sign == .minus)
    #expect(rounded(once) == expected)
  }

  @Test("NaN stays NaN", arguments: [Float.nan, Float(bitPattern: 0x7F80_0001)])
  func nan(value: Float) {
    #expect(rounded([value])[0].isNaN)
  }

  @Test("Every length, within half a unit", arguments: [1, 15, 16, 17, 31, 33, 1000, 70_001])
  func lengths(count: Int) {
    var random = RandomData("rounded \(count)")
    let values = random.floats(count)
    let all = rounded(values)
    #expect(zip(all, values).allSatisfy { abs($0 - $1) <= abs($1) / 256 })
    #expect(count < 10 || all != values)
  }

  @Test("What the forward pass reads again, small buffers, leaves and constants stay exact")
  func exact() {
    let odd: [Float] = [1.001, 2.001, 3.001, 4.001]
    let leaf = Tensor(shape: [4], odd).tracked
    let constant = Tensor(shape: [4], odd)
    let input = scaled(leaf, by: 1)
    let kept = elementwise(.product, input, constant)
    let small = rowSums(input.reshaped([1, 4]))
    let output = elementwise(.product, elementwise(.sum, kept, input), kept)
    let all = elementwise(.sum, output, elementwise(.product, output, input))
    let sum = elementwise(.product, rowSums(all.reshaped([1, 4])), small)
    let exact = (kept.values, small.values)
    sum.roundSaved(from: input, keeping: [kept])
    #expect(leaf.values == odd)
    #expect(constant.values == odd)
    #expect(kept.values == exact.0)
    #expect(small.values == exact.1)
    #expect(input.values != odd)
  }

  /// What is left of values that an operation has saved.
  private func rounded(_ values: [Float]) -> [Float] {
    let saved = scaled(Tensor(shape: [values.count], values).tracked, by: 1)
    scaled(saved, by: 2).roundSaved(from: saved)
    return saved.values
  }
}
