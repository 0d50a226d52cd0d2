// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import TestSupport
import Testing

/// Models of signed bytes.
@Suite("Quantised models")
struct QuantisingTests {
  static let batch = TinyBatch(lengths: [5, 20, 1, 13])

  private func model(_ entry: VariantEntry) throws -> Classifier {
    var configuration = try tinyConfiguration(entry)
    configuration.feedForward = 24
    return try Classifier(configuration, seed: 3)
  }

  private func logits(_ model: Classifier, _ order: [Int]? = nil) -> [Float] {
    model.parameters.tracksGradients = false
    return model(Self.batch.packed(order, capacity: 20)).values
  }

  private func reread(_ model: Classifier) throws -> Classifier {
    let path = NSTemporaryDirectory() + "lra-bytes-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try model.weights().write(to: path)
    let again = try Classifier(model.configuration, seed: 9)
    try again.load(path)
    return again
  }

  @Test("Bytes and scales of the published example, zeros, and the bound of the error")
  func rows() {
    let rows = ByteRows([0.3, -1.27, 0.004, 0.635, 0, 0, 0, 0], rows: 2)
    #expect(rows.bytes == [30, -127, 0, 64, 0, 0, 0, 0])
    #expect(abs(rows.scales[0] - 0.01) < 1e-8 && rows.scales[1] == 1)
    var random = RandomData("bytes")
    let values = random.floats(7 * 33, in: -3...3)
    let many = ByteRows(values, rows: 7)
    for (place, (value, rounded)) in zip(values, many.values).enumerated() {
      #expect(abs(value - rounded) <= many.scales[place / 33] / 2 * 1.00001)
    }
    // Rounded once, a matrix stays as it is.
    #expect(ByteRows(many.values, rows: 7).bytes == many.bytes)
  }

  @Test("The logits of every model point the same way", arguments: VariantCatalog.all)
  func logits(entry: VariantEntry) throws {
    let whole = try model(entry)
    let expected = logits(whole)
    for kind in [Quantisation.weights, .int8] {
      let found = logits(try whole.quantised(kind))
      let dot = zip(found, expected).reduce(0.0) { $0 + Double($1.0 * $1.1) }
      let norms = [found, expected].map { $0.reduce(0.0) { $0 + Double($1 * $1) }.squareRoot() }
      #expect(found != expected && dot / (norms[0] * norms[1]) > 0.99, "\(kind)")
    }
  }

  @Test(
    "A quantised file gives the same bits again, in as many bytes as stated",
    arguments: VariantCatalog.all)
  func file(entry: VariantEntry) throws {
    for kind in [Quantisation.weights, .int8] {
      let small = try model(entry).quantised(kind)
      let again = try reread(small)
      #expect(logits(again) == logits(small))
      #expect(again.parameters.all.map(\.values) == small.parameters.all.map(\.values))
      let file = small.weights()
      let bytes = file.entries.reduce(0) { $0 + $1.bytes.count }
      #expect(bytes == small.weightBytes)
      #expect(file.metadata["lra.quantised"] == "int8-channel-127")
      #expect(file["embedding.token"]?.kind == .i8 && file["head.output.weight"]?.kind == .f32)
    }
  }

  /// The floats of one, rounded on their way, are the bytes of the other.
  @Test(
    "A model that is trained for bytes has the logits of the model of bytes, exactly",
    arguments: VariantCatalog.all)
  func training(entry: VariantEntry) throws {
    let whole = try model(entry)
    let trained = try Classifier(whole.configuration, seed: 3, roundsToBytes: true)
    #expect(trained.parameters.all.map(\.values) == whole.parameters.all.map(\.values))
    #expect(logits(trained) == logits(try trained.quantised(.int8)))
    #expect(trained.weights().metadata == ["format": "pt"])
    let tables = try trained.quantised(.weights)
    #expect(logits(tables) == logits(try whole.quantised(.weights)))
  }

  @Test(
    "Every weight that floats train gets a gradient when bytes are trained for",
    arguments: VariantCatalog.all)
  func gradients(entry: VariantEntry) throws {
    let configuration = try model(entry).configuration
    let gradients = try [false, true].map { rounds in
      let model = try Classifier(configuration, seed: 3, roundsToBytes: rounds)
      let rows = model.encode(
        Self.batch.packed(capacity: 20), .training(DropoutSeed(seed: 1, step: 1)))
      crossEntropy(model.logits(rows), labels: Self.batch.labels, count: 4).backward()
      return model.parameters.all.map {
        model.parameters.values.gradient($0.range).map(Double.init)
      }
    }
    for (parameter, (plain, rounded)) in zip(
      try model(entry).parameters.all, zip(gradients[0], gradients[1]))
    {
      let (expected, found) = (euclidean(plain), euclidean(rounded))
      guard parameter.group != .buffer, expected > 1e-3 else { continue }
      let dot = zip(plain, rounded).reduce(0) { $0 + $1.0 * $1.1 }
      // Hashes, sorts and rectifiers may come out another way.
      let least = ["reformer", "sinkhorn", "cosformer"].contains(entry.name) ? 0.5 : 0.9
      #expect(dot / (expected * found) > least, "\(parameter.name)")
    }
  }

  @Test("An example's logits do not depend on its batch", arguments: VariantCatalog.all)
  func batchMates(entry: VariantEntry) throws {
    let small = try model(entry).quantised(.int8)
    let together = logits(small)
    for s in 0..<4 {
      #expect(distance(logits(small, [s]), Array(together[4 * s..<4 * s + 4])) < 1e-5)
    }
  }

  /// V 17, L 20, E 16, F 24, C 4: two blocks of four maps and two of the network.
  @Test("The number of bytes is that of the formula")
  func bytes() throws {
    let small = try model(VariantCatalog.named("transformer")).quantised(.weights)
    let matrices = 17 * 16 + 20 * 16 + 2 * (4 * 16 * 16 + 2 * 16 * 24)
    let rows = 17 + 20 + 2 * (4 * 16 + 24 + 16)
    let floats = 2 * (4 * 16 + 24 + 16) + 2 * 16 + 16 * 24 + 24 + 24 * 4 + 4
    #expect(small.weightBytes == matrices + 4 * rows + 4 * floats)
  }

  @Test("Recurrences and what is not trained stay floats")
  func exact() throws {
    for name in ["s4d", "lru", "performer", "reformer", "nystromformer"] {
      let whole = try model(VariantCatalog.named(name))
      let small = try whole.quantised(.int8)
      for parameter in whole.parameters.all {
        let isTrained = parameter.group == .ordinary && parameter.shape.count == 2
        let isMixer = parameter.name.contains(".mixer.") && !parameter.name.contains(".gate.")
        let stays =
          !isTrained || parameter.name.hasPrefix("head") || parameter.name.contains("conv")
          || (["s4d", "lru"].contains(name) && isMixer)
        let same = small.parameters[parameter.name]?.values == parameter.values
        #expect(same == stays, "\(name) \(parameter.name)")
      }
    }
  }

  @Test("Scales that do not fit are refused")
  func damaged() throws {
    let small = try model(VariantCatalog.named("transformer")).quantised(.weights)
    var file = SafeTensors()
    for entry in small.weights().entries where entry.name != "embedding.token.scale" {
      if entry.kind == .i8 {
        file.add(entry.name, shape: entry.shape, [Int8](repeating: 1, count: entry.count))
      } else {
        file.add(entry.name, shape: entry.shape, [Float](repeating: 1, count: entry.count))
      }
    }
    let path = NSTemporaryDirectory() + "lra-bytes-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try file.write(to: path)
    #expect(throws: UserError.self) { try small.load(path) }
    file.add("embedding.token.scale", shape: [3], [1, 1, 1] as [Float])
    try file.write(to: path)
    #expect(throws: UserError.self) { try small.load(path) }
  }

  @Test("Products of bytes do not go with reversible blocks")
  func reversible() throws {
    var configuration = try tinyConfiguration(VariantCatalog.named("reformer"))
    configuration.options["reversible"] = true
    let whole = try Classifier(configuration, seed: 1)
    #expect(throws: UserError.self) { try whole.quantised(.int8) }
    _ = try whole.quantised(.weights)
  }
}
