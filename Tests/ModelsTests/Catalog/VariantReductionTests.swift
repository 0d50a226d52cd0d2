// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing

/// Variants that compute the same in a limit, and changes of weights that change nothing.
@Suite("Reductions of variants")
struct VariantReductionTests {
  static let sharing = ["none", "headwise", "key-value", "layerwise"]
  static let withHeads = VariantCatalog.all.filter {
    !VariantCase.of($0).exempt.contains(.headOrder)
  }
  private static let usualHeads: [String: VariantCase.HeadAxis] = [
    "query.weight": .rows, "key.weight": .rows, "value.weight": .rows, "output.weight": .columns,
  ]

  private func model(_ name: String, _ options: [String: Setting] = [:]) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named(name))
    configuration.options.merge(options) { $1 }
    return try Classifier(configuration, seed: 3)
  }

  private func values(_ model: Classifier, _ name: String) throws -> [Float] {
    model.parameters.values.values(try #require(model.parameters[name]).range)
  }

  private func copyWeights(from source: Classifier, to target: Classifier) throws {
    for parameter in source.parameters.all {
      let other = try #require(target.parameters[parameter.name])
      target.parameters.values.fill(other.range, try values(source, parameter.name))
    }
  }

  @Test("Linformer with identity projections is the transformer", arguments: sharing)
  func linformer(sharing: String) throws {
    let length = 20
    let exact = try model("transformer")
    let projected = try model(
      "linformer", ["projected": .integer(length), "sharing": .text(sharing)])
    try copyWeights(from: exact, to: projected)
    let identity = (0..<length * length).map { Float($0 / length == $0 % length ? 1 : 0) }
    let projections = projected.parameters.all.filter { $0.name.contains("projection") }
    for parameter in projections { projected.parameters.values.fill(parameter.range, identity) }
    // A shorter sequence would attend to rows of zeros, which the transformer does not have.
    let input = TinyBatch(lengths: [length, length, length]).packed(capacity: length)
    #expect(distance(exact(input).values, projected(input).values) < 1e-5)
    let perSharing = ["none": 8, "headwise": 4, "key-value": 2, "layerwise": 1]
    #expect(projections.count == perSharing[sharing])
  }

  @Test("Linformer's projections begin with deviation 1/√L", arguments: sharing)
  func linformerInitial(sharing: String) throws {
    var configuration = try tinyConfiguration(VariantCatalog.named("linformer"), length: 400)
    configuration.options.merge(["projected": 32, "sharing": .text(sharing)]) { $1 }
    let model = try Classifier(configuration, seed: 3)
    for parameter in model.parameters.all where parameter.name.contains("projection") {
      let squares = try values(model, parameter.name).reduce(0) { $0 + Double($1) * Double($1) }
      let deviation = (squares / Double(parameter.count)).squareRoot()
      #expect(abs(deviation * 20 - 1) < 0.05, "\(parameter.name): \(deviation)")
    }
  }

  /// With one key there is nothing to choose from: its value is the result.
  @Test("On sequences of one token linear attention is softmax attention")
  func singleToken() throws {
    let exact = try model("transformer")
    let linear = try model("linear", ["epsilon": 0])
    try copyWeights(from: exact, to: linear)
    let single = TinyBatch(lengths: [1, 1, 1]).packed(capacity: 20)
    #expect(distance(exact(single).values, linear(single).values) < 1e-5)
    let longer = TinyBatch(lengths: [7]).packed(capacity: 20)
    #expect(distance(exact(longer).values, linear(longer).values) > 1e-4)
  }

  @Test(
    "The order of the heads does not matter", arguments: withHeads.map(\.name) + sharing)
  func headOrder(name: String) throws {
    let model =
      Self.sharing.contains(name)
      ? try model("linformer", ["sharing": .text(name)]) : try model(name)
    let input = TinyBatch(lengths: [5, 20, 1]).packed(capacity: 20)
    let before = model(input).values
    var exchanged = 0
    let own = VariantCase.of(try VariantCatalog.named(model.configuration.name))
    let axes = Self.usualHeads.merging(own.heads) { $1 }
    for parameter in model.parameters.all where parameter.name.contains(".mixer.") {
      let old = try values(model, parameter.name)
      let columns = parameter.shape.last ?? 1
      let kind = parameter.name.split(separator: ".").dropFirst(3).joined(separator: ".")
      var new = old
      switch axes[kind] {
      case .rows: new = (0..<old.count).map { old[($0 + old.count / 2) % old.count] }
      case .columns: new = exchangedColumns(old, columns)
      case .number:
        let other = try #require(model.parameters["\(parameter.name.dropLast())1"])
        new = try values(model, other.name)
        model.parameters.values.fill(other.range, old)
      case nil: continue
      }
      exchanged += 1
      model.parameters.values.fill(parameter.range, new)
    }
    #expect(exchanged >= 4)
    #expect(distance(model(input).values, before) < 1e-5)
  }

  /// The check of the check: exchanging the heads of one weight alone changes the result.
  @Test("The order of the heads in the output projection alone matters", arguments: withHeads)
  func outputOrder(entry: VariantEntry) throws {
    let model = try model(entry.name)
    let input = TinyBatch(lengths: [20]).packed(capacity: 20)
    let before = model(input).values
    let own = VariantCase.of(entry).heads.filter { $0.value == .columns }.keys
    let parameter = try #require(
      (["output.weight"] + own.filter { $0.hasPrefix("output.") })
        .compactMap { model.parameters["blocks.0.mixer.\($0)"] }.first)
    let old = try values(model, parameter.name)
    model.parameters.values.fill(parameter.range, exchangedColumns(old, parameter.shape[1]))
    #expect(distance(model(input).values, before) > 1e-4)
  }

  /// The two halves of every row, exchanged.
  private func exchangedColumns(_ values: [Float], _ columns: Int) -> [Float] {
    values.indices.map {
      values[$0 / columns * columns + ($0 % columns + columns / 2) % columns]
    }
  }
}
