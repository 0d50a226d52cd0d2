// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing

/// What changes when rows are normalised over the batch, and when tokens enter as numbers.
@Suite("Batch normalisation and numbers")
struct BatchNormTests {
  private func model(
    _ name: String = "s4d", _ change: (inout ModelConfiguration) -> Void = { _ in }
  ) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named(name))
    configuration.feedForward = 0
    configuration.normalization = .batch
    change(&configuration)
    return try Classifier(configuration, seed: 3)
  }

  private func values(_ model: Classifier, _ name: String) throws -> [Float] {
    model.parameters.values.values(try #require(model.parameters[name]).range)
  }

  /// Σ over a batch of the embeddings' columns gives the first layer's mean and variance.
  @Test("Running statistics move by a tenth of each training batch, and not in evaluation")
  func running() throws {
    let model = try model { $0.positions = .none }
    let batch = TinyBatch(lengths: [5, 20, 1])
    let table = try values(model, "embedding.token")
    let rows = batch.sequences.flatMap(\.self).map { token in
      (0..<16).map { Double(table[Int(token) * 16 + $0]) }
    }
    var (mean, variance) = (
      [Double](repeating: 0, count: 16), [Double](repeating: 1, count: 16)
    )
    for step in 1...3 {
      let updates = BufferUpdates()
      let seed = DropoutSeed(seed: 1, step: step)
      _ = model(batch.packed(capacity: 20), .training(seed, updates: updates))
      updates.commit()
      for c in 0..<16 {
        let own = rows.reduce(0) { $0 + $1[c] } / Double(rows.count)
        let square = rows.reduce(0) { $0 + ($1[c] - own) * ($1[c] - own) }
        mean[c] = 0.9 * mean[c] + 0.1 * own
        variance[c] = 0.9 * variance[c] + 0.1 * square / Double(rows.count - 1)
      }
      _ = model(batch.packed(capacity: 20))
      for (name, expected) in [("mean", mean), ("variance", variance)] {
        let found = try values(model, "blocks.0.mixer.norm.\(name)")
        for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 1e-5) }
      }
    }
  }

  @Test(
    "Training depends on the batch, evaluation does not", arguments: ["s4d", "lru", "fnet"],
    [Normalization.batch, .batchAfter])
  func batchMates(name: String, kind: Normalization) throws {
    let model = try model(name) { $0.normalization = kind }
    let batch = TinyBatch(lengths: [5, 20, 13])
    func first(_ sequences: [Int], _ seed: DropoutSeed?) -> [Float] {
      Array(
        model(batch.packed(sequences, capacity: 20), seed.map { .training($0) } ?? .evaluation)
          .values.prefix(4))
    }
    let seed = DropoutSeed(seed: 1, step: 1)
    #expect(distance(first([0, 1, 2], seed), first([0], seed)) > 1e-3)
    #expect(distance(first([0, 1, 2], nil), first([0], nil)) < 1e-5)
  }

  /// Every block ends with it: columns of what the last one returns have mean 0 and deviation 1.
  @Test("Normalised after each block, rows are pooled as they are")
  func after() throws {
    let model = try model {
      $0.normalization = .batchAfter
      $0.classes = 16
    }
    let width = model.configuration.width
    #expect(model.parameters["norm.scale"] == nil)
    let output = try #require(model.parameters["head.output.weight"])
    model.parameters.values.fill(
      output.range, (0..<width * width).map { $0 % (width + 1) == 0 ? 1 : 0 })
    let batch = TinyBatch(lengths: [7, 7, 7])
    let pooled = model(batch.packed(capacity: 20), .training(DropoutSeed(seed: 1, step: 1))).values
    for c in 0..<width {
      #expect(abs(pooled[c] + pooled[width + c] + pooled[2 * width + c]) < 1e-4)
    }
  }

  @Test("Numbers enter through one vector, and different numbers differ", arguments: [5, 257])
  func numbers(vocabulary: Int) throws {
    let model = try model {
      $0.input = .numbers
      $0.positions = .none
      $0.vocabulary = vocabulary
      $0.normalization = .layer
    }
    #expect(model.parameters["embedding.token"] == nil)
    let weight = try #require(model.parameters["embedding.number.weight"])
    #expect(weight.shape == [16, 1])
    let logits = [1, vocabulary / 2, vocabulary - 1].map { token in
      model(PackedTokens(tokens: [Int32(token)], offsets: [0, 1], capacity: 1)).values
    }
    #expect(distance(logits[0], logits[1]) > 1e-4 && distance(logits[1], logits[2]) > 1e-4)
  }

  @Test("Settings that do not go together are refused with what to change")
  func validation() throws {
    let error = #expect(throws: UserError.self) { try model { $0.feedForward = 24 } }
    #expect(error?.problem.contains("model.norm is batch") == true)
    let reversible = #expect(throws: UserError.self) {
      try model("reformer") { $0.options["reversible"] = true }
    }
    #expect(reversible?.problem.contains("model.reversible needs") == true)
  }
}
