import Autodiff
import Base
import Foundation
import Models
import Testing
import TestSupport

/// Forward pass, loss and every gradient against fixtures that `data-scripts/fixtures.py` computes in
/// double precision from the papers' formulas.
@Suite("Parity with the reference")
struct ParityTests {
  static let names = [
    "transformer-mean", "transformer-cls", "linformer-headwise", "linformer-key-value",
    "linear-mean",
  ]

  @Test("Logits, loss and gradients agree", arguments: names)
  func agreement(name: String) throws {
    let fixture = try Fixture(name)
    let model = try fixture.makeModel()
    let logits = model(fixture.input)
    #expect(distance(logits.values, try fixture.file.floats("logits")) < 5e-6)
    let loss = crossEntropy(logits, labels: fixture.labels)
    #expect(abs(loss.scalar - (try fixture.file.floats("loss")[0])) < 2e-6)
    loss.backward()
    model.parameters.values.completeGradients()
    for parameter in model.parameters.all {
      let expected = try fixture.file.floats("gradient.\(parameter.name)")
      let found = model.parameters.values.gradient(parameter.range)
      let scale = expected.map(abs).max() ?? 0
      #expect(distance(found, expected) <= 1e-5 * max(scale, 1e-3), "\(parameter.name)")
    }
  }

  @Test("Parameter names and shapes are the documented ones", arguments: names)
  func parameterNames(name: String) throws {
    let fixture = try Fixture(name)
    let model = try fixture.makeModel()
    let expected = fixture.file.entries.map(\.name).filter { $0.hasPrefix("parameter.") }
    #expect(Set(model.parameters.all.map { "parameter.\($0.name)" }) == Set(expected))
  }
}

/// One fixture file.
struct Fixture {
  let file: SafeTensors
  let input: PackedTokens
  let labels: [Int32]

  init(_ name: String) throws {
    let url = try #require(
      Bundle.module.url(forResource: name, withExtension: "safetensors", subdirectory: "Fixtures"))
    file = try SafeTensors(contentsOf: url.path)
    let tokens = try file.integers("tokens")
    let count = try file.integers("labels").count
    let length = tokens.count / count
    input = unpad(tokens.map { Int32($0) }, length: length)
    labels = try file.integers("labels").map { Int32($0) }
  }

  func number(_ key: String) -> Int { Int(file.metadata[key] ?? "") ?? 0 }

  func makeModel() throws -> Classifier {
    var configuration = ModelConfiguration(
      name: file.metadata["model"] ?? "", layers: number("layers"), width: number("width"),
      heads: number("heads"), feedForward: number("feed-forward"), length: number("length"),
      vocabulary: number("vocabulary"), classes: number("classes"))
    configuration.pooling = file.metadata["pooling"] == "cls" ? .cls : .mean
    if let projected = file.metadata["projected"], let value = Int(projected) {
      configuration.options["projected"] = .integer(value)
    }
    if let sharing = file.metadata["sharing"] { configuration.options["sharing"] = .text(sharing) }
    let model = try Classifier(configuration, seed: 1)
    for parameter in model.parameters.all {
      model.parameters.values.fill(
        parameter.range, try file.floats("parameter.\(parameter.name)"))
    }
    return model
  }
}
