// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import TestSupport
import Testing

/// What must hold for the Fourier transform beside its agreement with explicit matrices.
@Suite("FNet")
struct FNetTests {
  private static let lengths = [1, 6, 64, 97, 130, 210]

  private func random(_ name: String, _ rows: Int, _ width: Int) -> Tensor {
    var random = RandomData(name)
    return Tensor(shape: [rows, width], random.floats(rows * width))
  }

  private func product(_ a: Tensor, _ b: Tensor) -> Double {
    zip(a.values, b.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  @Test("The map is symmetric: ⟨T·x, y⟩ = ⟨x, T·y⟩, also where zeros follow", arguments: lengths)
  func selfAdjoint(length: Int) {
    for (rows, width) in [(length, 18), ((length + 1) / 2, 15)] {
      let plan = FourierPlan(length: length, width: width)
      let one = PackedSequences(count: 1, length: rows)
      let (x, y) = (random("x", rows, width), random("y", rows, width))
      let left = product(fourierMix(x, plan: plan, sequences: one), y)
      let right = product(x, fourierMix(y, plan: plan, sequences: one))
      let size = (product(x, x) * product(y, y) * Double(length * width)).squareRoot()
      #expect(abs(left - right) < 1e-5 * size)
    }
  }

  @Test("The map is linear in x")
  func linear() {
    let plan = FourierPlan(length: 70, width: 20)
    let one = PackedSequences(count: 1, length: 65)
    let (x, y) = (random("x", 65, 20), random("y", 65, 20))
    let sum = Tensor(shape: [65, 20], zip(x.values, y.values).map { 3 * $0 - $1 })
    let run = { (z: Tensor) in fourierMix(z, plan: plan, sequences: one).values }
    let expected = zip(run(x), run(y)).map { 3 * $0 - $1 }
    #expect(distance(run(sum), expected) < 1e-3)
  }

  /// Re(F)² is half the identity and half the reversal of both indices, apart from the factor L·E.
  @Test("Twice the orthonormal transform is the mean of x and its mirror image", arguments: lengths)
  func involution(length: Int) {
    let width = 12
    let plan = FourierPlan(
      length: length, width: width, scale: 1 / Double(length * width).squareRoot())
    let one = PackedSequences(count: 1, length: length)
    let x = random("x", length, width)
    let twice = fourierMix(
      fourierMix(x, plan: plan, sequences: one), plan: plan, sequences: one
    ).values
    let values = x.values
    let mirrored = (0..<length * width).map { i in
      let (row, column) = ((length - i / width) % length, (width - i % width) % width)
      return (values[i] + values[row * width + column]) / 2
    }
    #expect(distance(twice, mirrored) < 1e-5)
  }

  @Test("Its frequencies belong to the model, not to the batch; scaling it matters")
  func options() throws {
    let batch = TinyBatch(lengths: [7, 3]).packed(capacity: 20)
    let logits = try [(20, true), (20, false), (24, true)].map { length, orthonormal in
      var configuration = try tinyConfiguration(VariantCatalog.named("fnet"), length: length)
      configuration.options["orthonormal"] = .boolean(orthonormal)
      return try Classifier(configuration, seed: 3)(batch).values
    }
    #expect(distance(logits[0], logits[1]) > 1e-3)
    #expect(distance(logits[0], logits[2]) > 1e-3)
  }
}
