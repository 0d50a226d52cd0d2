// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing

/// Attention with synthesised logits: what each kind must and must not depend on.
@Suite("Synthesizer")
struct SynthesizerTests {
  static let kinds = ["dense", "factorised-dense", "random", "factorised-random"]
  private static let length = 20

  private func model(
    _ kind: String, mixture: Bool = false, rank: Int = 8, layers: Int = 1
  ) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named("synthesizer"))
    configuration.layers = layers
    configuration.options = [
      "kind": .text(kind), "mixture": .boolean(mixture), "rank": .integer(rank),
    ]
    return try Classifier(configuration, seed: 3)
  }

  private func fill(_ model: Classifier, _ name: String, _ values: (Int) -> Float) throws {
    let parameter = try #require(model.parameters["blocks.0.mixer.\(name)"])
    model.parameters.values.fill(parameter.range, (0..<parameter.count).map(values))
  }

  private func logits(_ model: Classifier, _ lengths: [Int] = [5, 20, 1]) -> [Float] {
    model(TinyBatch(lengths: lengths).packed(capacity: Self.length)).values
  }

  /// Copies what both models have; tables of different kinds differ in shape.
  private func copyWeights(from source: Classifier, to target: Classifier) {
    for parameter in source.parameters.all {
      guard let other = target.parameters[parameter.name], other.shape == parameter.shape else {
        continue
      }
      target.parameters.values.fill(
        other.range, source.parameters.values.values(parameter.range))
    }
  }

  private func gradients(_ model: Classifier) -> [String: [Float]] {
    let batch = TinyBatch(lengths: [5, 20, 1])
    model.parameters.values.clearGradients()
    crossEntropy(model(batch.packed(capacity: Self.length)), labels: batch.labels).backward()
    model.parameters.values.completeGradients()
    return Dictionary(
      uniqueKeysWithValues: model.parameters.all.map {
        ($0.name, model.parameters.values.gradient($0.range))
      })
  }

  @Test("Every weight of every kind gets a gradient", arguments: kinds, [false, true])
  func everyGradient(kind: String, mixture: Bool) throws {
    for (name, gradient) in gradients(try model(kind, mixture: mixture, layers: 2)) {
      #expect(gradient.contains { $0 != 0 }, "\(name)")
    }
  }

  @Test("A sequence's logits do not depend on its batch mates", arguments: kinds, [false, true])
  func batchMates(kind: String, mixture: Bool) throws {
    let model = try model(kind, mixture: mixture, layers: 2)
    let batch = TinyBatch(lengths: [5, 20, 1, 13])
    let together = model(batch.packed(capacity: Self.length))
    for s in 0..<4 {
      let alone = model(batch.packed([s], capacity: batch.sequences[s].count)).values
      #expect(distance(alone, Array(together.values[s * 4..<(s + 1) * 4])) < 1e-5)
    }
  }

  @Test("Steps of the same shape ask for no memory", arguments: kinds)
  func noMisses(kind: String) async throws {
    await #expect(processExitsWith: .success) { [kind] in
      var configuration = try tinyConfiguration(VariantCatalog.named("synthesizer"))
      configuration.options = ["kind": .text(kind), "mixture": true]
      let model = try Classifier(configuration, seed: 3)
      var misses: [Int] = []
      for step in 0..<6 {
        let batch = TinyBatch(lengths: [5 + step, 20 - step, 1, 13])
        model.parameters.values.clearGradients()
        crossEntropy(model(batch.packed(capacity: 20)), labels: batch.labels).backward()
        misses.append(BufferPool.shared.counters.misses)
      }
      #expect(misses[5] == misses[2], "\(misses)")
    }
  }

  /// With equal logits the result is the mean of the values, whichever kind they come from.
  @Test("A table of zeros gives the mean of the values")
  func zeros() throws {
    let random = try model("random")
    try fill(random, "table") { _ in 0 }
    let expected = logits(random)
    for kind in ["dense", "factorised-random"] {
      let other = try model(kind)
      copyWeights(from: random, to: other)
      try fill(other, kind == "dense" ? "table.weight" : "table.query") { _ in 0 }
      #expect(distance(logits(other), expected) < 1e-5, "\(kind)")
      #expect(distance(logits(try model(kind)), expected) > 1e-4, "\(kind)")
    }
    try fill(random, "table") { Float($0 % 3) }
    #expect(distance(logits(random), expected) > 1e-4)
  }

  @Test("Factorised tables of rank L hold any table")
  func factorisedTable() throws {
    let (length, heads) = (Self.length, 2)
    var data = RandomData("table")
    let table = data.floats(heads * length * length, in: -2...2)
    let random = try model("random")
    try fill(random, "table") { table[$0] }
    let factorised = try model("factorised-random", rank: length)
    copyWeights(from: random, to: factorised)
    // R₁[i] = the row of each head, R₂ = the identity in each head.
    try fill(factorised, "table.query") {
      let (position, column) = ($0 / (heads * length), $0 % (heads * length))
      return table[(column / length * length + position) * length + column % length]
    }
    try fill(factorised, "table.key") {
      $0 / (heads * length) == $0 % length ? 1 : 0
    }
    #expect(distance(logits(factorised), logits(random)) < 1e-5)
  }

  /// Constant hidden layers make dense logits a table of the biases b₂.
  @Test("Dense logits without a hidden layer are those of a table with equal rows")
  func denseBias() throws {
    let (length, heads) = (Self.length, 2)
    var data = RandomData("bias")
    let bias = data.floats(length * heads, in: -2...2)
    let dense = try model("dense")
    try fill(dense, "hidden.weight") { _ in 0 }
    try fill(dense, "table.bias") { bias[$0] }
    let random = try model("random")
    copyWeights(from: dense, to: random)
    try fill(random, "table") {
      bias[$0 % length * heads + $0 / (length * length)]
    }
    #expect(distance(logits(dense), logits(random)) < 1e-5)
  }

  /// What makes the synthesised logits of each kind zero.
  private static let sources = [
    "dense": ["table.weight", "table.bias"], "factorised-dense": ["fine.weight", "fine.bias"],
    "random": ["table"],
    "factorised-random": ["table.query"],
  ]

  /// α begins as one half each.
  @Test("A mixture without its synthesised part is the transformer", arguments: kinds)
  func transformer(kind: String) throws {
    let mixture = try model(kind, mixture: true)
    var configuration = mixture.configuration
    (configuration.name, configuration.options) = ("transformer", [:])
    let exact = try Classifier(configuration, seed: 3)
    copyWeights(from: mixture, to: exact)
    let query = try #require(exact.parameters["blocks.0.mixer.query.weight"])
    let doubled = exact.parameters.values.values(query.range).map { 2 * $0 }
    try fill(mixture, "query.weight") { doubled[$0] }
    #expect(distance(logits(mixture), logits(exact)) > 1e-4)
    for name in Self.sources[kind] ?? [] { try fill(mixture, name) { _ in 0 } }
    #expect(distance(logits(mixture), logits(exact)) < 1e-5)
  }

  @Test("A mixture with all weight on one side is that side", arguments: kinds)
  func sides(kind: String) throws {
    let mixture = try model(kind, mixture: true)
    let alone = try model(kind)
    copyWeights(from: alone, to: mixture)
    #expect(distance(logits(mixture), logits(alone)) > 1e-4)
    try fill(mixture, "mixture") { $0 == 0 ? 40 : -40 }
    #expect(distance(logits(mixture), logits(alone)) < 1e-5)
    try fill(mixture, "mixture") { $0 == 0 ? -40 : 40 }
    let before = logits(mixture)
    for name in Self.sources[kind] ?? [] { try fill(mixture, name) { Float($0 % 5) } }
    #expect(distance(logits(mixture), before) < 1e-5)
  }

  @Test("A table that would not fit into memory is refused with its size")
  func tooLarge() throws {
    var configuration = try tinyConfiguration(
      VariantCatalog.named("synthesizer"), length: 20_000)
    configuration.options = ["kind": "random"]
    let error = try #require(throws: UserError.self) { try configuration.validate() }
    // 2 heads, 2 layers, 4·10⁸ places of 16 bytes: 25.6·10⁹.
    #expect(error.problem.contains("23 GiB") && error.kind == .configuration)
    configuration.length = 1024
    try configuration.validate()
    configuration.options["rank"] = 0
    #expect(throws: UserError.self) { try configuration.validate() }
  }
}
