// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing

/// Sinkhorn attention in its limits, and the sort by itself.
@Suite("Sinkhorn")
struct SinkhornTests {
  private static let batch = TinyBatch(lengths: [20, 7, 1, 13])

  private func model(_ options: [String: Setting]) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named("sinkhorn"))
    configuration.options.merge(options) { $1 }
    return try Classifier(configuration, seed: 3)
  }

  /// The only sorted block is the block itself: every key is there twice.
  @Test("With one block it is the transformer", arguments: [0, 1, 5])
  func oneBlock(shortcut: Int) throws {
    let exact = try Classifier(
      tinyConfiguration(VariantCatalog.named("transformer")), seed: 4)
    let input = Self.batch.packed(capacity: 20)
    let error = { (block: Int) in
      let model = try model(["block": .integer(block), "sortcut": .integer(shortcut)])
      model.copyWeights(from: exact)
      return distance(model(input).values, exact(input).values)
    }
    #expect(try error(20) < 1e-5)
    #expect(try error(64) < 1e-5)
    #expect(try error(6) > 1e-4)
  }

  private func scores(_ count: Int) -> [Float] {
    var random = RandomData("scores")
    return random.normals(count * count).map { Float($0) }
  }

  private func sorted(_ scores: [Float], _ count: Int, iterations: Int, temperature: Float)
    -> [Float]
  {
    sinkhornSort(
      Tensor(shape: [count, count], scores), sequences: PackedSequences(count: 1, length: count),
      heads: 1,
      iterations: iterations, temperature: temperature
    ).values
  }

  /// Columns come last and are exact; rows get there.
  ///
  /// The bounds are five times what a float64 calculation gave for other scores of this kind:
  /// 0.17, 0.027, 2.9e-4, 6.9e-6; but rounding keeps the last.
  @Test("Rows and columns come to sum to 1")
  func convergence() {
    let count = 16
    var errors: [Float] = []
    for iterations in [1, 2, 5, 8, 20] {
      let p = sorted(scores(count), count, iterations: iterations, temperature: 0.75)
      let rows = (0..<count).map { p[$0 * count..<($0 + 1) * count].reduce(0, +) }
      let columns = (0..<count).map { j in (0..<count).reduce(0) { $0 + p[$1 * count + j] } }
      #expect(columns.allSatisfy { abs($0 - 1) < 1e-5 })
      #expect(p.allSatisfy { $0 >= 0 })
      errors.append(rows.map { abs($0 - 1) }.max() ?? 1)
    }
    for (error, bound) in zip(errors, [0.85, 0.14, 1.5e-3, 1e-4, 1e-5] as [Float]) {
      #expect(error < bound, "\(errors)")
    }
    #expect(errors[0] > 10 * errors[2])
  }

  /// At a low temperature the sort is a permutation, and queries see the blocks that it names.
  @Test("A hard permutation gathers the blocks that it names")
  func hardPermutation() {
    let (block, order, width) = (3, [2, 0, 4, 1, 3], 4)
    let count = order.count
    var random = RandomData("permutation")
    let noise = random.floats(count * count, in: 0...1)
    let scores = noise.indices.map {
      noise[$0] + (order[$0 / count] == $0 % count ? Float(3) : 0)
    }
    let sorting = sorted(scores, count, iterations: 8, temperature: 0.02)
    let rows = count * block
    let x = Tensor(shape: [rows, 3 * width], random.floats(rows * 3 * width))
    let view = { (part: Int) in HeadsView(x, column: part * width, count: 1, width: width) }
    let sequences = PackedSequences(count: 1, length: rows)
    let result = sortedBlockAttention(
      query: view(0), key: view(1), value: view(2),
      sorting: Tensor(shape: [count, count], sorting),
      blocks: SequencePieces(sequences, length: block)
    ).values
    var pattern = AttentionPattern(length: rows)
    for (own, other) in order.enumerated() {
      let keys = [other, own].map { pattern.list($0 * block..<($0 + 1) * block) }
      pattern.connect(own * block..<(own + 1) * block, to: keys.map { .init($0) })
    }
    let expected = patternAttention(
      query: view(0), key: view(1), value: view(2), sequences: sequences, patterns: [pattern]
    ).values
    #expect(distance(result, expected) < 1e-5)
  }

  /// In the LRA code the sort has no gradient: every sorted block is the sum of all.
  @Test("The loss depends on the sort as its gradient says", arguments: [0, 2])
  func gradientOfSort(shortcut: Int) throws {
    let model = try model(["sortcut": .integer(shortcut)])
    let input = Self.batch.packed(capacity: 20)
    let loss = { crossEntropy(model(input), labels: Self.batch.labels) }
    let name = "blocks.0.mixer.sort.weight"
    let weight = model.weight(name)
    loss().backward()
    model.parameters.values.completeGradients()
    let parameter = try #require(model.parameters[name])
    let gradient = model.parameters.values.gradient(parameter.range)
    let norm = Float(euclidean(gradient.map(Double.init)))
    #expect(norm > 1e-4)
    let losses = [Float(0.02), -0.02].map { step in
      model.setWeight(name, zip(weight, gradient).map { $0 + step * $1 / norm })
      return loss().scalar
    }
    let slope = (losses[0] - losses[1]) / 0.04
    #expect(abs(slope - norm) < 0.05 * norm, "\(slope), \(norm)")
  }

  @Test("The sort is noisy in training only, and differs from step to step")
  func noise() throws {
    let model = try model([:])
    let input = Self.batch.packed(capacity: 20)
    let steps = [
      nil, DropoutSeed(seed: 1, step: 3), DropoutSeed(seed: 1, step: 3),
      DropoutSeed(seed: 1, step: 4),
    ]
    let logits = steps.map { model(input, $0.map { .training($0) } ?? .evaluation).values }
    #expect(logits[0] == model(input).values)
    #expect(logits[1] == logits[2])
    #expect(distance(logits[0], logits[1]) > 1e-4)
    #expect(distance(logits[1], logits[3]) > 1e-4)
  }

  @Test("Settings that cannot be are refused", arguments: ["block", "iterations", "temperature"])
  func refused(key: String) throws {
    #expect(throws: UserError.self) { try model([key: 0]) }
    #expect(throws: UserError.self) { try model(["sortcut": -1]) }
  }
}
