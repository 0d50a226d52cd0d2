// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing

/// A matrix of who sees whom from its rule.
private func matrix(_ length: Int, _ rule: (Int, Int) -> Bool) -> [[Bool]] {
  (0..<length).map { i in (0..<length).map { i == $0 || rule(i, $0) } }
}

/// Whether every token reaches every other in two steps.
private func connectsAll(_ sees: [[Bool]]) -> Bool {
  sees.allSatisfy { row in
    sees.indices.allSatisfy { j in sees.indices.contains { row[$0] && sees[$0][j] } }
  }
}

/// Who sees whom in the variants that leave pairs out, token by token, and where they leave none.
@Suite("Variants with patterns")
struct PatternVariantTests {
  static let lengths = [1, 5, 18, 20]

  // MARK: Local

  @Test(
    "Local: tokens see their block and its neighbours", arguments: lengths,
    [(1, 0), (4, 0), (7, 1), (3, 2), (50, 0)])
  func local(length: Int, setting: (block: Int, neighbours: Int)) throws {
    let (block, neighbours) = setting
    let mixer = try SingleMixer(
      "local", ["block": .integer(block), "neighbours": .integer(neighbours)], length: 20)
    #expect(
      mixer.influence(length: length)
        == matrix(length) { abs($0 / block - $1 / block) <= neighbours })
  }

  // MARK: Sparse

  /// A₁ ∪ A₂ by its formula; of a short last block, the last c columns are its own.
  private func sparse(
    _ length: Int, _ kind: String, stride l: Int, summary c: Int, first: Bool = true,
    second: Bool = true
  ) -> [[Bool]] {
    matrix(length) { i, j in
      let near = kind == "strided" ? abs(i - j) < l : i / l == j / l
      let far =
        kind == "strided" ? (i - j) % l == 0 : j >= min((j / l + 1) * l, length) - c
      return first && near || second && far
    }
  }

  @Test(
    "Sparse: tokens see the union of two sets, and two layers connect all",
    arguments: ["strided", "fixed"], lengths)
  func sparseUnion(kind: String, length: Int) throws {
    for (stride, summary) in [(0, 1), (5, 2), (7, 9), (1, 1), (30, 3)] {
      let mixer = try SingleMixer(
        "sparse",
        ["pattern": .text(kind), "stride": .integer(stride), "summary": .integer(summary)],
        length: 20)
      let found = mixer.influence(length: length)
      // The root of 20 is 4.47.
      #expect(
        found == sparse(length, kind, stride: stride == 0 ? 4 : stride, summary: summary))
      #expect(connectsAll(found))
    }
  }

  @Test(
    "Sparse: half of the heads see the first set, half the second",
    arguments: ["strided", "fixed"], [true, false])
  func sparseSplit(kind: String, first: Bool) throws {
    let mixer = try SingleMixer(
      "sparse", ["pattern": .text(kind), "stride": 5, "summary": 2, "combine": "split"], heads: 4,
      length: 20)
    // Without values, a head says nothing.
    mixer.clear("value.weight", rows: first ? 8..<16 : 0..<8)
    for length in Self.lengths {
      #expect(
        mixer.influence(length: length)
          == sparse(length, kind, stride: 5, summary: 2, first: first, second: !first))
    }
  }

  // MARK: Longformer

  @Test(
    "Longformer: tokens see a window and global tokens, which see all", arguments: lengths,
    [(0, 0), (6, 0), (6, 1), (0, 1), (4, 3), (100, 2), (8, 30)])
  func longformer(length: Int, setting: (window: Int, global: Int)) throws {
    let (window, global) = setting
    let mixer = try SingleMixer(
      "longformer", ["window": .integer(window), "global": .integer(global)], length: 20)
    #expect(
      mixer.influence(length: length)
        == matrix(length) { abs($0 - $1) <= window / 2 || $0 < global || $1 < global })
    #expect((mixer.weight("global-query.weight") == nil) == (global == 0))
  }

  /// A global token's row is made by its own projections and by no others.
  @Test("Longformer: rows of global tokens come from the global projections")
  func globalRows() throws {
    let mixer = try SingleMixer("longformer", ["window": 6, "global": 2], length: 20)
    mixer.clear("mixer.value.weight", rows: 0..<16)
    #expect(mixer.influence(length: 20) == matrix(20) { i, _ in i < 2 })
    mixer.clear("global-value.weight", rows: 0..<16)
    #expect(mixer.influence(length: 20) == matrix(20) { _, _ in false })
  }

  // MARK: BigBird

  @Test(
    "BigBird: blocks see the ends, a window and some more",
    arguments: [
      (1, 2, 1, 3), (2, 1, 1, 3), (3, 2, 0, 1), (3, 1, 2, 1), (4, 3, 1, 3), (2, 0, 1, 5),
    ],
    lengths)
  func bigBird(setting: (Int, Int, Int, Int), length: Int) throws {
    let (size, random, global, window) = setting
    let found = try bigBird(length, size, random, global, window)
    let count = (length + size - 1) / size
    let isGlobal = { (block: Int) in block < global || block >= count - global }
    for block in 0..<count {
      let row = found[block * size]
      // Whole blocks are seen, by all tokens of a block alike.
      for i in block * size..<min(length, (block + 1) * size) {
        for j in 0..<length { #expect(found[i][j] == row[j / size * size]) }
      }
      let fixed = (0..<count).filter {
        isGlobal($0) || isGlobal(block) || abs($0 - block) <= window / 2
      }
      for other in fixed { #expect(row[other * size]) }
      let seen = (0..<count).filter { row[$0 * size] }
      #expect(seen.count == min(count, fixed.count + random))
    }
    if global > 0 { #expect(connectsAll(found)) }
  }

  private func bigBird(
    _ length: Int, _ size: Int, _ random: Int, _ global: Int, _ window: Int, seed: Int = 0,
    path: String = "blocks.0.mixer"
  ) throws -> [[Bool]] {
    try SingleMixer(
      "bigbird",
      [
        "block": .integer(size), "random": .integer(random), "global": .integer(global),
        "window": .integer(window), "random-seed": .integer(seed),
      ], length: 20, path: path
    ).influence(length: length)
  }

  @Test("BigBird: random blocks belong to the seed, the layer and the head")
  func randomBlocks() throws {
    let first = try bigBird(20, 1, 3, 1, 3)
    #expect(try bigBird(20, 1, 3, 1, 3) == first)
    #expect(try bigBird(20, 1, 3, 1, 3, seed: 1) != first)
    #expect(try bigBird(20, 1, 3, 1, 3, path: "blocks.1.mixer") != first)
    let heads = try (0..<2).map { silent in
      let mixer = try SingleMixer(
        "bigbird", ["block": 1, "random": 3, "random-seed": 0], heads: 2, length: 20)
      mixer.clear("value.weight", rows: silent * 8..<(silent + 1) * 8)
      return mixer.influence(length: 20)
    }
    #expect(heads[0] != heads[1])
    #expect(heads[1] == first)
  }

  /// Block 9 of 20 sees 0, 8, 9, 10 and 19 anyway, and 2 of the 15 others: 20 times each in 150
  /// drawings, with a deviation of 4.2.
  @Test("BigBird: every block is as likely as another")
  func uniform() throws {
    var counts = [Int](repeating: 0, count: 20)
    for seed in 0..<150 {
      let row = try bigBird(20, 1, 2, 1, 3, seed: seed)[9]
      for j in 0..<20 where row[j] { counts[j] += 1 }
    }
    for j in 0..<20 {
      let always = [0, 8, 9, 10, 19].contains(j)
      #expect(always ? counts[j] == 150 : abs(counts[j] - 20) < 17, "block \(j): \(counts[j])")
    }
  }

  // MARK: Everything

  /// Settings with which everybody sees everybody.
  static let complete: [(String, [String: Setting])] = [
    ("local", ["block": 20]), ("local", ["block": 10, "neighbours": 1]),
    ("sparse", ["pattern": "fixed", "stride": 20, "summary": 1]),
    ("sparse", ["pattern": "fixed", "stride": 3, "summary": 3]),
    ("sparse", ["pattern": "strided", "stride": 20]),
    ("sparse", ["pattern": "strided", "stride": 1]),
    ("sparse", ["pattern": "fixed", "stride": 40, "combine": "split", "summary": 40]),
    ("longformer", ["window": 40, "global": 0]), ("longformer", ["window": 40, "global": 1]),
    ("longformer", ["window": 0, "global": 20]), ("longformer", ["window": 4, "global": 19]),
    ("bigbird", ["block": 5, "random": 0]), ("bigbird", ["block": 2, "random": 6]),
    ("bigbird", ["block": 1, "random": 0, "window": 39]),
    ("bigbird", ["block": 3, "random": 0, "global": 4]),
  ]

  @Test(
    "Where nothing is left out, they are the transformer", arguments: complete, Pooling.allCases)
  func isTransformer(setting: (String, [String: Setting]), pooling: Pooling) throws {
    let (name, options) = setting
    func model(_ name: String, _ options: [String: Setting]) throws -> Classifier {
      // The class token is one more.
      let length = pooling == .cls ? 19 : 20
      var configuration = try tinyConfiguration(
        VariantCatalog.named(name), length: length, pooling: pooling)
      configuration.options.merge(options) { $1 }
      return try Classifier(configuration, seed: 3)
    }
    let (exact, other) = (try model("transformer", [:]), try model(name, options))
    for parameter in exact.parameters.all {
      let values = exact.weight(parameter.name)
      other.setWeight(parameter.name, values)
      let global = parameter.name.replacing("mixer.", with: "mixer.global-")
      if global != parameter.name && other.parameters[global] != nil {
        other.setWeight(global, values)
      }
    }
    let batch = TinyBatch(lengths: [19, 7, 1])
    let input = batch.packed(capacity: 19)
    let gradients = [exact, other].map { model in
      crossEntropy(model(input), labels: batch.labels).backward()
      model.parameters.values.completeGradients()
      return exact.parameters.all.map { parameter in
        parameter.name.hasPrefix("blocks.") && name == "longformer"
          ? [] : model.parameters.values.gradient(model.parameters[parameter.name]?.range ?? 0..<0)
      }
    }
    #expect(distance(exact(input).values, other(input).values) < 1e-5)
    for (parameter, (found, expected)) in zip(
      exact.parameters.all, zip(gradients[1], gradients[0]))
    {
      let scale = max(expected.map(abs).max() ?? 0, 1e-3)
      #expect(distance(found, expected) < 1e-5 * scale, "\(parameter.name)")
    }
  }
}
