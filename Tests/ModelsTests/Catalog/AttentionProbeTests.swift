// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import TestSupport
import Testing

/// The comparison of what a variant mixes with exact attention.
@Suite("Attention probe")
struct AttentionProbeTests {
  /// Those whose attention stands for softmax attention of their own queries, keys and values.
  private static let approximations: Set = [
    "bigbird", "cosformer", "linear", "linformer", "local", "longformer", "nystromformer",
    "performer", "reformer", "sinkhorn", "sparse",
  ]

  /// Settings with which a variant is exact, to these digits, on 20 tokens.
  private static let exact: [String: [String: Setting]] = [
    "local": ["block": .integer(20)],
    "longformer": ["window": .integer(40), "global": .integer(0)],
    "bigbird": ["block": .integer(20)],
    "sinkhorn": ["block": .integer(20)],
    "reformer": ["chunk": .integer(20)],
  ]

  private func model(_ name: String, _ options: [String: Setting] = [:]) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named(name))
    configuration.options.merge(options) { $1 }
    return try Classifier(configuration, seed: 3)
  }

  private let input = TinyBatch(lengths: [20, 13, 20]).packed(capacity: 20)

  @Test("A probe sees every layer and changes nothing", arguments: VariantCatalog.all)
  func everyLayer(entry: VariantEntry) throws {
    let model = try model(entry.name)
    let probe = AttentionProbe()
    let probed = model(input, .probing(probe)).values
    #expect(probed == model(input).values)
    guard Self.approximations.contains(entry.name) else { return #expect(probe.errors.isEmpty) }
    #expect(probe.errors.count == model.configuration.layers)
    #expect(probe.errors.allSatisfy { $0 > 1e-4 && $0 < 100 }, "\(probe.errors)")
    // A second pass adds to the same layers.
    _ = model(input, .probing(probe))
    #expect(probe.errors.count == model.configuration.layers)
  }

  @Test("Where a variant is exact its error is none", arguments: exact.keys.sorted())
  func exactness(name: String) throws {
    let model = try model(name, try #require(Self.exact[name]))
    let probe = AttentionProbe()
    let own = model(input, .probing(probe)).values
    #expect(probe.errors.allSatisfy { $0 < 1e-5 }, "\(probe.errors)")
    let replaced = model(input, .probing(AttentionProbe(substitutes: true))).values
    #expect(distance(own, replaced) < 1e-5)
  }

  @Test("Exact attention takes a variant's place")
  func substitution() throws {
    let exact = try model("transformer")
    let local = try model("local", ["block": .integer(2), "neighbours": .integer(0)])
    for parameter in exact.parameters.all {
      let other = try #require(local.parameters[parameter.name])
      local.parameters.values.fill(
        other.range, exact.parameters.values.values(parameter.range))
    }
    let replaced = local(input, .probing(AttentionProbe(substitutes: true))).values
    #expect(distance(exact(input).values, replaced) < 1e-5)
    #expect(distance(exact(input).values, local(input).values) > 1e-3)
  }
}
