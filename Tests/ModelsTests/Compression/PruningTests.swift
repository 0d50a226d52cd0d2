// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import TestSupport
import Testing

/// Structured pruning of every model: what is masked is what is rebuilt.
@Suite("Pruned models")
struct PruningTests {
  static let batch = TinyBatch(lengths: [5, 20, 1, 13])

  private func model(
    _ entry: VariantEntry, _ options: [String: Setting] = [:], layers: Int = 3, heads: Int = 4
  ) throws -> Classifier {
    var configuration = try tinyConfiguration(entry)
    configuration.layers = layers
    configuration.heads = heads
    configuration.feedForward = 24
    configuration.options.merge(options) { $1 }
    return try Classifier(configuration, seed: 3)
  }

  /// Every second unit, and of one branch all that can go.
  private func masks(_ model: Classifier) throws -> [String: [Bool]] {
    let units = try model.prunableUnits()
    var masks: [String: [Bool]] = [:]
    for (number, branch) in (units.heads + units.hidden).enumerated() {
      masks[branch.place] = (0..<branch.count).map { unit in
        number == 1 ? unit < branch.least : unit % 2 == 1
      }
    }
    return masks
  }

  private func masked(_ model: Classifier, _ masks: [String: [Bool]]) -> [Float] {
    model.parameters.tracksGradients = false
    return model(
      Self.batch.packed(capacity: 20), .observing(ImportanceProbe(masks: masks))
    ).values
  }

  private func expectSame(_ found: [Float], _ expected: [Float], _ name: String) {
    let scale = expected.map(abs).max() ?? 1
    #expect(distance(found, expected) <= 1e-5 * scale, "\(name)")
  }

  @Test("The rebuilt model has the logits of the masked one", arguments: VariantCatalog.all)
  func rebuilt(entry: VariantEntry) throws {
    let whole = try model(entry)
    let masks = try masks(whole)
    let pruned = try whole.pruned(masks: masks, droppingLayers: [])
    expectSame(
      pruned(Self.batch.packed(capacity: 20)).values, masked(whole, masks), entry.name)
    let parts = try whole.prunableUnits()
    #expect(!parts.hidden.isEmpty)
    #expect(pruned.parameters.count < whole.parameters.count)
    #expect(parts.heads.isEmpty == ["luna", "fnet", "s4d", "lru"].contains(entry.name))
  }

  @Test("Nothing masked, nothing dropped: the same bits", arguments: VariantCatalog.all)
  func nothing(entry: VariantEntry) throws {
    let whole = try model(entry)
    let same = try whole.pruned(masks: [:], droppingLayers: [])
    let input = Self.batch.packed(capacity: 20)
    #expect(same(input).values == whole(input).values)
    #expect(same.configuration == whole.configuration)
  }

  /// A block that is left out leaves the residual stream as it is.
  @Test(
    "Without a block, the logits are those of a model of the others", arguments: VariantCatalog.all)
  func layers(entry: VariantEntry) throws {
    let whole = try model(entry)
    let two = try whole.pruned(masks: [:], droppingLayers: [1])
    #expect(try two.configuration.blockShapes().blocks.map(\.number) == [0, 2])
    let one = try two.pruned(masks: [:], droppingLayers: [0])
    let direct = try whole.pruned(masks: [:], droppingLayers: [0, 1])
    let input = Self.batch.packed(capacity: 20)
    #expect(one(input).values == direct(input).values)
    #expect(one(input).values != whole(input).values)
    #expect(one.parameters.all.allSatisfy { !$0.name.hasPrefix("blocks.1.") })
  }

  @Test(
    "Weights per head of every kind are cut with them",
    arguments: [
      ("linformer", ["sharing": "none"]), ("linformer", ["sharing": "layerwise"]),
      ("synthesizer", ["kind": "random"]), ("synthesizer", ["kind": "factorised-dense"]),
      ("synthesizer", ["kind": "factorised-random", "mixture": true]),
      ("synthesizer", ["kind": "dense", "mixture": true]),
      ("sparse", ["combine": "split", "pattern": "strided"]), ("bigbird", ["random": 2]),
      ("sinkhorn", ["sortcut": 1]), ("nystromformer", ["conv": 3]),
      ("reformer", ["reversible": true]), ("performer", ["kernel": "relu"]),
      ("lowrank", ["rank": 3]), ("longformer", ["global": 2]),
    ] as [(String, [String: Setting])])
  func kinds(name: String, options: [String: Setting]) throws {
    var own = options
    if name == "sparse" { own["summary"] = 8 }
    let whole = try model(VariantCatalog.named(name), own)
    let masks = try masks(whole)
    let pruned = try whole.pruned(masks: masks, droppingLayers: [])
    expectSame(pruned(Self.batch.packed(capacity: 20)).values, masked(whole, masks), name)
  }

  /// E = 16, H = 4, D = 4, F = 24: a head has 4·E·D weights, an inner column 2·E + 1.
  @Test("The number of parameters is that of the formula")
  func parameterCount() throws {
    let whole = try model(VariantCatalog.named("transformer"))
    let pruned = try whole.pruned(
      masks: [
        "blocks.0.mixer": [true, false, true, true],
        "blocks.1.mixer": [false, false, false, false],
        "blocks.2.feed-forward": (0..<24).map { $0 < 10 },
      ], droppingLayers: [])
    // Where no head is left, the norm goes too.
    let gone = 5 * 4 * 16 * 4 + 2 * 16 + 14 * (2 * 16 + 1)
    #expect(whole.parameters.count - pruned.parameters.count == gone)
    #expect(pruned.parameters["blocks.1.mixer.norm.scale"] == nil)
    #expect(pruned.configuration.keptHeads == "0,2,3//0,1,2,3")
    #expect(pruned.configuration.innerWidths == "24,24,10")
  }

  @Test("Saved and read again, a pruned model has the same bits")
  func saved() throws {
    let whole = try model(VariantCatalog.named("transformer"))
    let pruned = try whole.pruned(masks: masks(whole), droppingLayers: [0])
    let again = try Classifier(pruned.configuration, seed: 9)
    let path = NSTemporaryDirectory() + "lra-pruned-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try pruned.weights().write(to: path)
    try again.load(path)
    let input = Self.batch.packed(capacity: 20)
    #expect(again(input).values == pruned(input).values)
  }

  /// The derivative by a factor of a unit, against differences of the loss as the factor changes.
  @Test(
    "Importances are the derivatives of each example's loss",
    arguments: ["transformer", "linear", "performer", "luna", "s4d"])
  func derivatives(name: String) throws {
    let whole = try model(VariantCatalog.named(name), layers: 2, heads: 2)
    let probe = ImportanceProbe()
    let sums = { (mode: ForwardMode, examples: [Int]) -> Tensor in
      crossEntropy(
        whole(Self.batch.packed(examples, capacity: 20), mode),
        labels: examples.map { Self.batch.labels[$0] }, count: 1)
    }
    sums(.observing(probe), Array(0..<4)).backward()
    whole.parameters.values.clearGradients()
    let places = probe.sums.keys.sorted()
    #expect(!places.isEmpty)
    whole.parameters.tracksGradients = false
    for place in places {
      for unit in 0..<min(2, probe.sums[place]?.count ?? 0) {
        let expected = (0..<4).reduce(0.0) { sum, example in
          let losses = [-1.0, 1].map { sign in
            Double(
              sums(
                .observing(Factor(place, unit, Float(1 + sign * 1e-3))), [example]
              ).scalar)
          }
          return sum + abs(losses[1] - losses[0]) / 2e-3
        }
        let found = probe.sums[place]?[unit] ?? 0
        // Corners of the head's rectifier, and the rounding of losses in fp32.
        #expect(abs(found - expected) < 5e-3 * expected + 5e-4, "\(place) \(unit)")
      }
    }
  }

  @Test("Parts that there are not are refused")
  func refused() throws {
    for (key, value) in [
      ("layers", "0,5"), ("layers", "1,0"), ("heads", "0,1/0"), ("heads", "0/0,9/1"),
      ("inner", "24,25,1"), ("inner", "24"), ("layers", "x"),
    ] {
      var configuration = try model(VariantCatalog.named("transformer")).configuration
      switch key {
      case "layers": configuration.keptLayers = value
      case "heads": configuration.keptHeads = value
      default: configuration.innerWidths = value
      }
      #expect(throws: UserError.self, "\(key) \(value)") { try configuration.validate() }
    }
    var luna = try model(VariantCatalog.named("luna")).configuration
    luna.keptHeads = "0/0/0"
    #expect(throws: UserError.self) { try luna.validate() }
    var reversible = try model(VariantCatalog.named("reformer"), ["reversible": true]).configuration
    reversible.keptHeads = "0//0"
    #expect(throws: UserError.self) { try reversible.validate() }
  }
}

/// Multiplies one unit by a factor.
private final class Factor: BranchObserver {
  private let place: String
  private let unit: Int
  private let factor: Float

  init(_ place: String, _ unit: Int, _ factor: Float) {
    (self.place, self.unit, self.factor) = (place, unit, factor)
  }

  func units(
    _ rows: Tensor, of place: String, width: Int, _ sequences: PackedSequences
  ) -> Tensor {
    guard place == self.place else { return rows }
    let scales = (0..<rows.columns).map { $0 / width == unit ? factor : 1 }
    return scaledColumns(rows, scales: Tensor(shape: [scales.count], scales))
  }
}
