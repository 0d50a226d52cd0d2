import Autodiff
import Base
import Models
import TestSupport
import Testing

/// Variants that compute the same in a limit, and changes of weights that change nothing.
@Suite("Reductions of variants")
struct VariantReductionTests {
  static let sharing = ["none", "headwise", "key-value", "layerwise"]

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
    "The order of the heads does not matter", arguments: VariantCatalog.all.map(\.name) + sharing)
  func headOrder(name: String) throws {
    let model =
      Self.sharing.contains(name)
      ? try model("linformer", ["sharing": .text(name)]) : try model(name)
    let input = TinyBatch(lengths: [5, 20, 1]).packed(capacity: 20)
    let before = model(input).values
    var exchanged = 0
    for parameter in model.parameters.all where parameter.name.contains(".mixer.") {
      let old = try values(model, parameter.name)
      let (rows, columns) = (parameter.shape[0], parameter.shape.last ?? 1)
      let kind = parameter.name.split(separator: ".").dropFirst(3).joined(separator: ".")
      var new = old
      switch kind {
      case "query.weight", "key.weight", "value.weight":
        new = (0..<old.count).map { old[($0 + old.count / 2) % old.count] }
      case "output.weight":
        new = (0..<rows * columns).map {
          old[$0 / columns * columns + ($0 % columns + columns / 2) % columns]
        }
      case "projection.key.0", "projection.value.0", "projection.key.1", "projection.value.1":
        let partner = parameter.name.dropLast() + (parameter.name.hasSuffix("0") ? "1" : "0")
        guard parameter.name.hasSuffix("0") else { continue }
        let other = try #require(model.parameters[String(partner)])
        new = try values(model, other.name)
        model.parameters.values.fill(other.range, old)
      default: continue
      }
      exchanged += 1
      model.parameters.values.fill(parameter.range, new)
    }
    #expect(exchanged >= 8)
    #expect(distance(model(input).values, before) < 1e-5)
  }

  /// The check of the check: exchanging the heads of the queries alone changes the result.
  @Test("The order of the queries' heads alone matters", arguments: VariantCatalog.all)
  func queryOrder(entry: VariantEntry) throws {
    let model = try model(entry.name)
    let input = TinyBatch(lengths: [20]).packed(capacity: 20)
    let before = model(input).values
    let old = try values(model, "blocks.0.mixer.query.weight")
    let range = try #require(model.parameters["blocks.0.mixer.query.weight"]).range
    model.parameters.values.fill(
      range, (0..<old.count).map { old[($0 + old.count / 2) % old.count] })
    #expect(distance(model(input).values, before) > 1e-4)
  }
}
