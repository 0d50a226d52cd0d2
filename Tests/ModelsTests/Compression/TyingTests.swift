// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import TestSupport
import Testing

/// Blocks and projections that share their weights.
@Suite("Shared weights")
struct TyingTests {
  static let batch = TinyBatch(lengths: [5, 20, 1, 13])

  private func model(
    _ entry: VariantEntry, dropout: Double = 0, seed: UInt64 = 3,
    _ change: (inout ModelConfiguration) -> Void = { _ in }
  ) throws -> Classifier {
    var configuration = try tinyConfiguration(entry, dropout: dropout)
    configuration.layers = 4
    configuration.feedForward = 24
    change(&configuration)
    return try Classifier(configuration, seed: seed)
  }

  /// The name that a weight of an untied model has in a tied one.
  private func shared(_ name: String, _ tied: Classifier) -> String? {
    if tied.parameters[name] != nil { return name }
    let words = name.split(separator: ".")
    guard words.count > 2, words[0] == "blocks", let block = Int(words[1]) else { return nil }
    let group = tied.configuration.tieGroup == 0 ? 4 : tied.configuration.tieGroup
    let other = "blocks.shared.\(block / group)." + words.dropFirst(2).joined(separator: ".")
    return tied.parameters[other] == nil ? nil : other
  }

  /// An untied model whose blocks hold the weights that those of a tied one share.
  private func untied(_ tied: Classifier) throws -> Classifier {
    var configuration = tied.configuration
    (configuration.settings.tieLayers, configuration.settings.tieGroup) = (.none, 0)
    configuration.settings.tieNorms = false
    let result = try Classifier(configuration, seed: 5)
    for parameter in result.parameters.all {
      let source = try #require(
        shared(parameter.name, tied).flatMap { tied.parameters[$0] }, "\(parameter.name)")
      result.parameters.values.fill(parameter.range, source.values)
    }
    return result
  }

  /// The loss of a training step, and the gradient of every weight by its name.
  private func gradients(_ model: Classifier) -> (loss: Float, [String: [Float]]) {
    let loss = crossEntropy(
      model(Self.batch.packed(capacity: 20), .training(DropoutSeed(seed: 1, step: 1))),
      labels: Self.batch.labels)
    model.parameters.values.clearGradients()
    loss.backward()
    model.parameters.values.completeGradients()
    let all = model.parameters.all.map { ($0.name, model.parameters.values.gradient($0.range)) }
    return (loss.scalar, Dictionary(uniqueKeysWithValues: all))
  }

  /// With dropout: masks are those of the place of use, not of the weight.
  @Test(
    "A tied model is the untied one with equal blocks, and its gradient the sum of theirs",
    arguments: VariantCatalog.all, [TiedParts.all, .attention, .feedForward])
  func sums(entry: VariantEntry, parts: TiedParts) throws {
    for (group, norms) in [(0, false), (2, true)] {
      let tied = try model(entry, dropout: 0.2) {
        ($0.tieLayers, $0.tieGroup, $0.tieNorms) = (parts, group, norms)
      }
      let plain = try untied(tied)
      let (loss, found) = gradients(tied)
      let (expectedLoss, single) = gradients(plain)
      #expect(loss.bitPattern == expectedLoss.bitPattern, "group \(group)")
      var sums: [String: [Float]] = [:]
      for (name, gradient) in single {
        let target = try #require(shared(name, tied))
        let before = sums[target] ?? gradient.map { _ in 0 }
        sums[target] = zip(before, gradient).map { $0 + $1 }
      }
      for (name, gradient) in found {
        let expected = try #require(sums[name])
        let scale = max(expected.map(abs).max() ?? 0, 1e-3)
        #expect(distance(gradient, expected) < 2e-6 * scale, "\(name)")
      }
      #expect(tied.parameters.count <= plain.parameters.count)
    }
  }

  /// E = 16, H·D = 16, F = 24, four blocks: four maps of a mixer, two maps and biases of a network, and
  /// the norm of each.
  @Test("The number of parameters is that of the formula")
  func parameterCount() throws {
    let entry = try VariantCatalog.named("transformer")
    let whole = try model(entry).parameters.count
    let (mixer, network, norm) = (4 * 16 * 16, 2 * 16 * 24 + 24 + 16, 2 * 16)
    for (parts, group, norms, saved) in [
      (TiedParts.all, 0, false, 3 * (mixer + network)), (.attention, 0, false, 3 * mixer),
      (.feedForward, 0, false, 3 * network), (.all, 2, false, 2 * (mixer + network)),
      (.all, 0, true, 3 * (mixer + network + 2 * norm)), (.attention, 3, false, 2 * mixer),
      (.all, 1, false, 0),
    ] {
      let tied = try model(entry) {
        ($0.tieLayers, $0.tieGroup, $0.tieNorms) = (parts, group, norms)
      }
      #expect(whole - tied.parameters.count == saved, "\(parts) \(group) \(norms)")
      #expect(tied.weights().entries.count == tied.parameters.all.count)
    }
    let narrow = try model(entry) { $0.positionRank = 3 }
    #expect(whole - narrow.parameters.count == 20 * 16 - 3 * (20 + 16))
    for (change, saved) in [
      ({ $0.tieQueryKey = true }, 1), ({ $0.tieKeyValue = true }, 1),
      (
        {
          $0.tieQueryKey = true
          $0.tieKeyValue = true
        }, 2
      ),
    ] as [((inout ModelConfiguration) -> Void, Int)] {
      #expect(try whole - model(entry, change).parameters.count == saved * 4 * 16 * 16)
    }
  }

  @Test("A group of one block is no group: the same bits")
  func single() throws {
    let entry = try VariantCatalog.named("transformer")
    let tied = try model(entry) { ($0.tieLayers, $0.tieGroup) = (.all, 1) }
    let input = Self.batch.packed(capacity: 20)
    #expect(try tied(input).values == model(entry)(input).values)
  }

  @Test(
    "Tied projections are the untied ones with equal weights, and their gradient the sum",
    arguments: VariantCatalog.all.filter { $0.about.parts.contains(.projections) })
  func projections(entry: VariantEntry) throws {
    for (query, value) in [(true, false), (false, true), (true, true)] {
      let tied = try model(entry) { ($0.tieQueryKey, $0.tieKeyValue) = (query, value) }
      let plain = try model(entry, seed: 5)
      let source = { (name: String) -> String in
        var name = name
        if value { name = name.replacing(/value(?=[.](weight|bias|reduce|expand))/, with: "key") }
        if query { name = name.replacing(/key(?=[.](weight|bias|reduce|expand))/, with: "query") }
        return name
      }
      for parameter in plain.parameters.all {
        let other = try #require(tied.parameters[source(parameter.name)], "\(parameter.name)")
        plain.parameters.values.fill(parameter.range, other.values)
      }
      let (loss, found) = gradients(tied)
      let (expectedLoss, single) = gradients(plain)
      #expect(loss.bitPattern == expectedLoss.bitPattern)
      var sums: [String: [Float]] = [:]
      for (name, gradient) in single {
        let before = sums[source(name)] ?? gradient.map { _ in 0 }
        sums[source(name)] = zip(before, gradient).map { $0 + $1 }
      }
      for (name, gradient) in found {
        let expected = try #require(sums[name])
        #expect(distance(gradient, expected) < 2e-6 * max(expected.map(abs).max() ?? 0, 1e-3))
      }
    }
  }

  @Test("Positions of a rank are the product of their tables")
  func positions() throws {
    let entry = try VariantCatalog.named("transformer")
    let narrow = try model(entry) { $0.positionRank = 3 }
    let plain = try model(entry, seed: 3)
    let rows = try #require(narrow.parameters["embedding.position.rows"]).values
    let map = try #require(narrow.parameters["embedding.position.map"]).values
    let table = try #require(plain.parameters["embedding.position"])
    for parameter in plain.parameters.all where parameter.name != table.name {
      let other = try #require(narrow.parameters[parameter.name])
      plain.parameters.values.fill(parameter.range, other.values)
    }
    var product = [Float](repeating: 0, count: 20 * 16)
    for position in 0..<20 {
      for column in 0..<16 {
        for k in 0..<3 {
          product[position * 16 + column] += rows[position * 3 + k] * map[column * 3 + k]
        }
      }
    }
    plain.parameters.values.fill(table.range, product)
    let input = Self.batch.packed(capacity: 20)
    #expect(distance(narrow(input).values, plain(input).values) < 1e-5)
    let (_, found) = gradients(narrow)
    #expect(found["embedding.position.map"]?.contains { $0 != 0 } == true)
  }

  @Test("A tied model is saved once and read again with the same bits")
  func saved() throws {
    let tied = try model(VariantCatalog.named("transformer")) {
      ($0.tieLayers, $0.positionRank) = (.all, 2)
    }
    let path = NSTemporaryDirectory() + "lra-tied-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try tied.weights().write(to: path)
    let again = try Classifier(tied.configuration, seed: 9)
    try again.load(path)
    let input = Self.batch.packed(capacity: 20)
    #expect(again(input).values == tied(input).values)
  }

  @Test("Tied blocks are factorised and quantised once, and computed again with the same gradients")
  func composed() throws {
    let tied = try model(VariantCatalog.named("transformer")) { $0.tieLayers = .all }
    #expect(tied.denseMaps.count == 6)
    let ranks = Dictionary(uniqueKeysWithValues: tied.denseMaps.map { ($0.path, 3) })
    let narrow = try tied.factorised(ranks) { tied.factors(of: $0) }
    #expect(narrow.parameters.count < tied.parameters.count)
    #expect(try narrow.quantised(.int8).weightBytes < narrow.weightBytes)
    let recomputed = try Classifier(tied.configuration, seed: 3, recomputedBlocks: 1)
    #expect(gradients(recomputed).1 == gradients(tied).1)
  }

  @Test("What cannot be shared is refused")
  func refused() throws {
    let entry = try VariantCatalog.named("transformer")
    for change in [
      { $0.positionRank = 9 }, { ($0.tieLayers, $0.tieGroup) = (.all, 4) },
      {
        $0.tieLayers = .all
        $0.keptLayers = "0,1"
      },
      {
        $0.tieLayers = .attention
        $0.tieNorms = true
        $0.feedForward = 0
        $0.normalization = .batch
      },
    ] as [(inout ModelConfiguration) -> Void] {
      #expect(throws: UserError.self) { try model(entry, change) }
    }
    let reasons = try model(VariantCatalog.named("s4d")).configuration.idle()
    #expect(reasons["tie-qk"] != nil && reasons["tie-group"] != nil && reasons["tie-kv"] != nil)
    #expect(try model(VariantCatalog.named("luna")).configuration.idle()["tie-kv"] == nil)
  }
}
