// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models

/// One file of reference values, see `data-scripts/fixtures.py`.
package struct Fixture {
  /// The tensors of the file.
  package let file: SafeTensors
  /// The batch, without padding.
  package let input: PackedTokens
  /// The right classes.
  package let labels: [Int32]
  /// Names of weights that are not trained and have no gradient.
  package let buffers: Set<String>

  /// Every fixture of a model; the other file holds the optimizer's ten steps.
  package static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".safetensors") && $0 != "adamw.safetensors" }
      .map { String($0.dropLast(".safetensors".count)) }.sorted()
  }()

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "ModelsTests/Fixtures")
  /// What the metadata says of every model; the other keys are the variant's own settings.
  private static let standardKeys: Set = [
    "model", "layers", "width", "heads", "feed-forward", "length", "vocabulary", "classes",
    "pooling", "buffers", "norm", "input", "towers",
  ]

  /// Reads a fixture by name.
  package init(_ name: String) throws {
    file = try Fixture.file(name)
    let tokens = try file.integers("tokens")
    labels = try file.integers("labels").map { Int32($0) }
    let towers = Int(file.metadata["towers"] ?? "1") ?? 1
    input = unpad(
      tokens.map { Int32($0) }, length: tokens.count / (labels.count * towers))
    buffers = Set((file.metadata["buffers"] ?? "").split(separator: ",").map(String.init))
  }

  /// The tensors of a fixture.
  package static func file(_ name: String) throws -> SafeTensors {
    try SafeTensors(contentsOf: folder.appending(path: "\(name).safetensors").path)
  }

  /// A setting of the type that the text has the form of.
  private static func setting(_ text: String) -> Setting {
    if let value = Int(text) { return .integer(value) }
    if let value = Double(text) { return .number(value) }
    if let value = Bool(text) { return .boolean(value) }
    return .text(text)
  }

  private func number(_ key: String) -> Int { Int(file.metadata[key] ?? "") ?? 0 }

  /// The model that the fixture describes, with the fixture's weights.
  package func makeModel() throws -> Classifier {
    var configuration = ModelConfiguration(
      name: file.metadata["model"] ?? "", layers: number("layers"), width: number("width"),
      heads: number("heads"), feedForward: number("feed-forward"), length: number("length"),
      vocabulary: number("vocabulary"), classes: number("classes"))
    configuration.pooling = file.metadata["pooling"] == "cls" ? .cls : .mean
    configuration.normalization = file.metadata["norm"].flatMap(Normalization.init) ?? .layer
    configuration.input = file.metadata["input"] == "numbers" ? .numbers : .tokens
    configuration.towers = max(1, number("towers"))
    for (key, text) in file.metadata where !Fixture.standardKeys.contains(key) {
      configuration.options[key] = Fixture.setting(text)
    }
    let model = try Classifier(configuration, seed: 1)
    for parameter in model.parameters.all {
      model.parameters.values.fill(
        parameter.range, try file.floats("parameter.\(parameter.name)"))
    }
    return model
  }

  /// The loss of the fixture's batch.
  package func loss(_ model: Classifier) -> Tensor {
    crossEntropy(model(input), labels: labels)
  }
}
