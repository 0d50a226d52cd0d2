// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing

/// The two attentions of Luna where they are known.
@Suite("Luna")
struct LunaTests {
  private static let width = 16

  private func configuration(
    _ name: String, heads: Int, _ options: [String: Setting] = [:]
  ) throws -> ModelConfiguration {
    var configuration = try tinyConfiguration(VariantCatalog.named(name))
    configuration.layers = 1
    configuration.heads = heads
    configuration.options.merge(options) { $1 }
    return configuration
  }

  /// The product of two square weights of the only layer.
  private func product(_ model: Classifier, _ left: String, _ right: String) -> [Float] {
    let matrix = { (name: String) in
      Matrix(
        Self.width, Self.width, model.weight("blocks.0.mixer.\(name).weight").map(Double.init))
    }
    return matrix(left).times(matrix(right)).values.map { Float($0) }
  }

  private func setIdentity(_ model: Classifier, _ name: String, times factor: Float = 1) {
    model.setWeight(
      "blocks.0.mixer.\(name).weight",
      (0..<Self.width * Self.width).map {
        $0 / Self.width == $0 % Self.width ? factor : 0
      })
  }

  /// Rows of ±1 that are orthogonal to each other and, but for the first, have a mean of zero, so
  /// that a layer normalisation leaves them as they are (Sylvester, 1867).
  private static func orthogonalRow(_ index: Int) -> [Float] {
    (0..<width).map { (index & $0).nonzeroBitCount % 2 == 0 ? 1 : -1 }
  }

  /// Token t is the t-th orthogonal row, and positions are zero.
  private func setOrthogonalTokens(_ model: Classifier) {
    let rows = (0..<model.configuration.vocabulary).flatMap { Self.orthogonalRow($0 % 16) }
    model.setWeight("embedding.token", rows)
    model.setWeight("embedding.position", [Float](repeating: 0, count: 20 * Self.width))
  }

  /// P[i] attends to token i alone, so that Y is X, and what remains is attention between tokens.
  @Test("Where P gathers each token in one row, it is the transformer with keys as values")
  func identityPack() throws {
    let count = 15
    let luna = try Classifier(configuration("luna", heads: 1, ["packed": .integer(count)]), seed: 3)
    let exact = try Classifier(configuration("transformer", heads: 1), seed: 4)
    luna.copyWeights(from: exact)
    luna.setWeight("luna.packed", (1...count).flatMap(Self.orthogonalRow))
    setIdentity(luna, "pack.query", times: 10)
    setIdentity(luna, "pack.context")
    for side in ["key", "value"] {
      exact.setWeight(
        "blocks.0.mixer.\(side).weight", luna.weight("blocks.0.mixer.context.weight"))
    }
    setOrthogonalTokens(luna)
    setOrthogonalTokens(exact)
    let tokens = (1...count).map(Int32.init)
    let input = PackedTokens(tokens: tokens, offsets: [0, count], capacity: 20)
    #expect(distance(luna(input).values, exact(input).values) < 1e-5)
    setIdentity(luna, "pack.query", times: 0)
    #expect(distance(luna(input).values, exact(input).values) > 1e-3)
  }

  /// Weights that sum to 1 give back what all rows have in common.
  @Test("On equal tokens both attentions give back the value", arguments: [true, false])
  func equalTokens(ties: Bool) throws {
    let luna = try Classifier(configuration("luna", heads: 2, ["tie-kv": .boolean(ties)]), seed: 3)
    let exact = try Classifier(configuration("transformer", heads: 2), seed: 4)
    exact.copyWeights(from: luna)
    let side = ties ? "context" : "value"
    exact.setWeight("blocks.0.mixer.value.weight", product(luna, side, "pack.\(side)"))
    for model in [luna, exact] {
      model.setWeight("embedding.position", [Float](repeating: 0, count: 20 * Self.width))
    }
    let tokens = [Int32](repeating: 5, count: 9) + [8] + [Int32](repeating: 2, count: 20)
    let input = PackedTokens(tokens: tokens, offsets: [0, 9, 10, 30], capacity: 20)
    #expect(distance(luna(input).values, exact(input).values) < 1e-5)
  }

  @Test("P learns, in both ways to make keys and values", arguments: [true, false])
  func gradientOfP(ties: Bool) throws {
    var configuration = try configuration("luna", heads: 2, ["tie-kv": .boolean(ties)])
    configuration.layers = 3
    let model = try Classifier(configuration, seed: 3)
    let batch = TinyBatch(lengths: [20, 1, 7])
    crossEntropy(model(batch.packed(capacity: 20)), labels: batch.labels).backward()
    model.parameters.values.completeGradients()
    for parameter in model.parameters.all {
      let gradient = model.parameters.values.gradient(parameter.range)
      #expect(gradient.contains { abs($0) > 1e-8 }, "\(parameter.name)")
    }
  }

  @Test("Without positions the order of the tokens does not matter")
  func permutation() throws {
    let model = try Classifier(configuration("luna", heads: 2), seed: 3)
    let tokens = TinyBatch(lengths: [20]).sequences[0]
    let logits = { (tokens: [Int32]) in
      model(PackedTokens(tokens: tokens, offsets: [0, 20], capacity: 20)).values
    }
    #expect(distance(logits(tokens), logits(tokens.reversed())) > 1e-4)
    model.setWeight("embedding.position", [Float](repeating: 0, count: 20 * Self.width))
    #expect(distance(logits(tokens), logits(tokens.reversed())) < 1e-5)
  }
}
