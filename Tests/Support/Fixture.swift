import Autodiff
import Base
import Foundation
import Models

/// One file of reference values, see `data-scripts/fixtures.py`.
public struct Fixture {
  /// The tensors of the file.
  public let file: SafeTensors
  /// The batch, without padding.
  public let input: PackedTokens
  /// The right classes.
  public let labels: [Int32]

  /// Reads a fixture by name.
  public init(_ name: String) throws {
    file = try Fixture.file(name)
    let tokens = try file.integers("tokens")
    labels = try file.integers("labels").map { Int32($0) }
    input = unpad(tokens.map { Int32($0) }, length: tokens.count / labels.count)
  }

  /// The tensors of a fixture.
  public static func file(_ name: String) throws -> SafeTensors {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try SafeTensors(
      contentsOf: folder.appending(path: "ModelsTests/Fixtures/\(name).safetensors").path)
  }

  private func number(_ key: String) -> Int { Int(file.metadata[key] ?? "") ?? 0 }

  /// The model that the fixture describes, with the fixture's weights.
  public func makeModel() throws -> Classifier {
    var configuration = ModelConfiguration(
      name: file.metadata["model"] ?? "", layers: number("layers"), width: number("width"),
      heads: number("heads"), feedForward: number("feed-forward"), length: number("length"),
      vocabulary: number("vocabulary"), classes: number("classes"))
    configuration.pooling = file.metadata["pooling"] == "cls" ? .cls : .mean
    for key in try VariantCatalog.named(configuration.name).options().keys {
      guard let text = file.metadata[key] else { continue }
      configuration.options[key] =
        Int(text).map(Setting.integer) ?? Double(text).map(Setting.number) ?? .text(text)
    }
    let model = try Classifier(configuration, seed: 1)
    for parameter in model.parameters.all {
      model.parameters.values.fill(
        parameter.range, try file.floats("parameter.\(parameter.name)"))
    }
    return model
  }

  /// The loss of the fixture's batch.
  public func loss(_ model: Classifier) -> Tensor {
    crossEntropy(model(input), labels: labels)
  }
}
