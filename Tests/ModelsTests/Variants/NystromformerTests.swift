// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing

/// Nyström attention in its exact limits.
@Suite("Nyströmformer")
struct NystromformerTests {
  private func model(_ options: [String: Setting]) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named("nystromformer"))
    configuration.options.merge(options) { $1 }
    return try Classifier(configuration, seed: 3)
  }

  private func transformer() throws -> Classifier {
    try Classifier(tinyConfiguration(VariantCatalog.named("transformer")), seed: 4)
  }

  /// How far the logits are from the transformer's with the same weights.
  private func error(landmarks: Int, iterations: Int) throws -> Float {
    let exact = try transformer()
    let model = try model([
      "landmarks": .integer(landmarks), "iterations": .integer(iterations), "conv": 0,
    ])
    model.copyWeights(from: exact)
    let input = TinyBatch(lengths: [20, 7, 1, 13]).packed(capacity: 20)
    return distance(model(input).values, exact(input).values)
  }

  /// A·A⁺·A = A: the landmarks are the tokens themselves, in shorter sequences too.
  @Test("With a landmark for every token and a converged inverse it is the transformer")
  func everyToken() throws {
    let converged = try error(landmarks: 20, iterations: 20)
    #expect(converged < 1e-3)
    #expect(try error(landmarks: 20, iterations: 3) > 10 * converged)
    #expect(try error(landmarks: 3, iterations: 20) > 10 * converged)
  }

  /// One token attends to itself: the result is its value, and the convolution adds the middle tap
  /// times that.
  @Test("On one token the convolution adds to the value", arguments: [Float(0), 1, -3])
  func deltaKernel(tap: Float) throws {
    let exact = try transformer()
    let model = try model([:])
    model.copyWeights(from: exact)
    for layer in 0..<2 {
      let name = "blocks.\(layer).mixer.value.weight"
      model.setWeight(
        "blocks.\(layer).mixer.conv.weight", [5, 7, tap, 7, 5, 5, 7, tap, 7, 5])
      exact.setWeight(name, exact.weight(name).map { $0 * (1 + tap) })
    }
    let input = TinyBatch(lengths: [1, 1, 1]).packed(capacity: 20)
    #expect(distance(model(input).values, exact(input).values) < 1e-5)
  }

  @Test("A convolution with one tap of 1 leaves everything as it is")
  func identityConvolution() {
    var random = RandomData("identity convolution")
    let values = random.floats(30 * 8)
    let x = Tensor(shape: [30, 8], values)
    let delta = Tensor(shape: [2, 5], [0, 0, 1, 0, 0, 0, 0, 1, 0, 0])
    let sequences = PackedSequences(offsets: [0, 13, 30])
    let zero = Tensor(shape: [30, 8], [Float](repeating: 0, count: 30 * 8))
    let y = depthwiseConvolution(
      zero, adding: HeadsView(x, count: 2, width: 4), kernel: delta, sequences: sequences)
    #expect(y.values == values)
    let shift = Tensor(shape: [2, 5], [0, 0, 0, 1, 0, 0, 0, 0, 1, 0])
    let next = depthwiseConvolution(
      zero, adding: HeadsView(x, count: 2, width: 4), kernel: shift, sequences: sequences)
    // Every row gets the next one's values, and the last of a sequence zeros.
    let zeros = [Float](repeating: 0, count: 8)
    #expect(next.values == Array(values[8..<104]) + zeros + Array(values[112...]) + zeros)
  }

  /// A mate with a far larger norm of its matrix would change a norm of the whole batch.
  @Test("The inverse of one sequence does not depend on its batch mates")
  func ownNorm() {
    var random = RandomData("own norm")
    let rows = random.floats(6 * 32, in: -3...3)
    let mate = (0..<6 * 32).map { Float($0 % 32 < 16 ? $0 : 40) }
    let inverse = { (values: [Float], sizes: [Int]) -> [Float] in
      let x = Tensor(shape: [values.count / 32, 32], values)
      let landmarks = PackedSequences(offsets: offsets(sizes), capacity: 9)
      let view = { HeadsView(x, column: $0, count: 1, width: 16) }
      return nystromInverse(
        query: view(0), key: view(16), value: view(0), landmarks: landmarks, iterations: 6
      ).values
    }
    #expect(Array(inverse(rows + mate, [6, 6]).prefix(6 * 16)) == inverse(rows, [6]))
  }

  @Test("Settings that cannot be are refused", arguments: ["landmarks", "iterations", "conv"])
  func refused(key: String) throws {
    #expect(throws: UserError.self) { try model([key: key == "conv" ? 4 : 0]) }
  }
}
