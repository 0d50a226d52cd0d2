// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import TestSupport
import Testing

/// Models of four blocks, by whose exits examples can leave.
@Suite("Early exits")
struct EarlyExitTests {
  static let batch = TinyBatch(lengths: [5, 20, 1, 13, 9, 16])

  private func configuration(
    _ entry: VariantEntry, pooling: Pooling = .mean, towers: Int = 1
  ) throws -> ModelConfiguration {
    var configuration = try tinyConfiguration(entry, pooling: pooling)
    configuration.layers = 4
    configuration.towers = towers
    configuration.exits = true
    return configuration
  }

  private func model(_ configuration: ModelConfiguration, blocks: Int = 0) throws -> Classifier {
    let model = try Classifier(configuration, seed: 3, recomputedBlocks: blocks)
    model.parameters.tracksGradients = false
    return model
  }

  private func packed(_ order: [Int]? = nil) -> PackedTokens {
    Self.batch.packed(order, capacity: 20)
  }

  /// The logits of every exit, the whole model's last, a row for each example.
  private func all(_ model: Classifier, _ input: PackedTokens) -> [[[Float]]] {
    let encoded = model.encode(input, exiting: true)
    return (encoded.exitLogits + [model.logits(encoded)]).map { logits in
      (0..<logits.rows).map { Array(logits.values[$0 * 4..<($0 + 1) * 4]) }
    }
  }

  /// The largest probability.
  private func confidence(_ logits: [Float]) -> Double {
    let powers = logits.map { exp(Double($0)) }
    return (powers.max() ?? 0) / powers.reduce(0, +)
  }

  /// A confidence that half of the answers have.
  private func middle(_ answers: [[Float]]) -> Double {
    let sorted = answers.map(confidence).sorted()
    return (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
  }

  @Test(
    "With any confidence the answers are those of the exits, whoever has left before",
    arguments: VariantCatalog.all)
  func leaving(entry: VariantEntry) throws {
    let model = try model(configuration(entry))
    let exits = all(model, packed())
    #expect(exits.count == 4 && Set(exits.map { $0[0] }).count == 4)

    let never = model.answers(packed(), leavingAt: 2)
    #expect(never.logits == model(packed()).values)
    #expect(never.blocks == Array(repeating: 4, count: 6))
    let first = model.answers(packed(), leavingAt: 0)
    #expect(first.logits == exits[0].flatMap { $0 } && Set(first.blocks) == [1])

    // Half of the examples leave by the first exit.
    let between = middle(exits[0])
    let some = model.answers(packed(), leavingAt: between)
    for example in 0..<6 {
      let exit = (0..<3).first { confidence(exits[$0][example]) >= between } ?? 3
      #expect(some.blocks[example] == exit + 1)
      let found = Array(some.logits[4 * example..<4 * example + 4])
      #expect(distance(found, exits[exit][example]) < 1e-5)
      let alone = model.answers(packed([example]), leavingAt: between)
      #expect(alone.blocks == [exit + 1] && distance(alone.logits, found) < 1e-5)
    }
    #expect(Set(some.blocks).count > 1)
  }

  @Test("Of two sequences that are compared both leave at once", arguments: [Pooling.mean, .cls])
  func pairs(pooling: Pooling) throws {
    let model = try model(
      configuration(VariantCatalog.named("luna"), pooling: pooling, towers: 2))
    let exits = all(model, packed())
    let between = middle(exits[0])
    let answers = model.answers(packed(), leavingAt: between)
    #expect(answers.blocks.count == 3 && answers.blocks.contains(1) && answers.logits.count == 12)
    for example in 0..<3 {
      let exit = answers.blocks[example] - 1
      let found = Array(answers.logits[4 * example..<4 * example + 4])
      #expect(distance(found, exits[exit][example]) < 1e-5)
    }
  }

  @Test("Exits change nothing of the model itself", arguments: Normalization.allCases)
  func itself(norm: Normalization) throws {
    var configuration = try configuration(VariantCatalog.named("linear"))
    configuration.normalization = norm
    if norm != .layer { configuration.feedForward = 0 }
    let with = try model(configuration)
    configuration.exits = false
    let without = try model(configuration)
    #expect(with(packed()).values == without(packed()).values)
    let names = Set(with.parameters.all.map(\.name))
    #expect(names.isSuperset(of: without.parameters.all.map(\.name)))
    let own = names.subtracting(without.parameters.all.map(\.name))
    #expect(own.allSatisfy { $0.hasPrefix("exits.") } && own.contains("exits.2.head.output.weight"))
    #expect(!own.contains("exits.3.head.output.weight"))
    #expect(own.contains("exits.0.norm.scale") == (norm != .batchAfter))
  }

  @Test(
    "Blocks that are computed again leave the same bits of gradients",
    arguments: ["luna", "linear"],
    [1, 3])
  func recomputed(name: String, blocks: Int) throws {
    let configuration = try configuration(VariantCatalog.named(name))
    let gradients = try [0, blocks].map { blocks in
      let model = try model(configuration, blocks: blocks)
      model.parameters.tracksGradients = true
      let encoded = model.encode(
        packed(), .training(DropoutSeed(seed: 1, step: 1)), exiting: true)
      let losses = (encoded.exitLogits + [model.logits(encoded)]).map {
        crossEntropy($0, labels: Self.batch.labels)
      }
      #expect(losses.count == 4)
      losses.dropFirst().reduce(losses[0]) { elementwise(.sum, $0, $1) }.backward()
      return model.parameters.all.map { model.parameters.values.gradient($0.range) }
    }
    #expect(gradients[0] == gradients[1])
  }

  @Test("Exits stay floats where a model becomes one of bytes, and are kept by narrow maps")
  func compressed() throws {
    let whole = try model(configuration(VariantCatalog.named("transformer")))
    let bytes = try whole.quantised(.int8)
    let file = bytes.weights()
    #expect(file["exits.1.head.hidden.weight"]?.kind == .f32)
    #expect(file["blocks.1.mixer.query.weight"]?.kind == .i8)
    let narrow = try whole.factorised(["blocks.0.mixer.query": 4]) { whole.factors(of: $0) }
    for parameter in whole.parameters.all where parameter.name.hasPrefix("exits.") {
      #expect(bytes.parameters[parameter.name]?.values == parameter.values)
      #expect(narrow.parameters[parameter.name]?.values == parameter.values)
    }
    #expect(whole.weightParts.contains { $0.name == "exits" })
  }

  @Test("Fewer than four blocks, or reversible ones, are refused with the reason")
  func refused() throws {
    var configuration = try configuration(VariantCatalog.named("reformer"))
    configuration.options["reversible"] = true
    #expect(throws: UserError.self) { try Classifier(configuration, seed: 1) }
    configuration.options["reversible"] = false
    _ = try Classifier(configuration, seed: 1)
    configuration.keptLayers = "0,1,3"
    let error = #expect(throws: UserError.self) { try Classifier(configuration, seed: 1) }
    #expect(error?.problem.contains("3 blocks") == true)
    #expect(error?.remedy.contains("at least 4") == true)
  }
}
