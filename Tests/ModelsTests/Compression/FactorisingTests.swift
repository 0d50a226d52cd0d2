// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing

/// Trained models whose maps become products of two narrow ones.
@Suite("Factorised models")
struct FactorisingTests {
  static let batch = TinyBatch(lengths: [5, 20, 1, 13])

  private func model(_ entry: VariantEntry) throws -> Classifier {
    var configuration = try tinyConfiguration(entry)
    configuration.feedForward = 24
    return try Classifier(configuration, seed: 3)
  }

  /// A matrix of a rank.
  private func matrix(_ rows: Int, _ columns: Int, rank: Int, _ name: String) -> [Float] {
    var random = RandomData("\(name) \(rows) \(columns)")
    let (a, b) = (random.floats(rows * rank), random.floats(rank * columns))
    return (0..<rows * columns).map { place in
      (0..<rank).reduce(Float(0)) {
        $0 + a[place / columns * rank + $1] * b[$1 * columns + place % columns] / 4
      }
    }
  }

  /// The maps have rank 2 to begin with, so nothing is lost.
  @Test(
    "A model whose maps have low rank computes the same when they are factorised",
    arguments: VariantCatalog.all)
  func exact(entry: VariantEntry) throws {
    let dense = try model(entry)
    let maps = dense.denseMaps
    guard entry.name != "lowrank" else {
      #expect(maps.isEmpty)
      return
    }
    #expect(!maps.isEmpty)
    for map in maps {
      let weight = try #require(dense.parameters["\(map.path).weight"])
      dense.parameters.values.fill(
        weight.range, matrix(map.outputs, map.inputs, rank: 2, map.path))
    }
    let ranks = try RankRule.energy(0.999999).ranks(
      maps.map { ($0, dense.factors(of: $0).energies) }, others: 0)
    let narrow = try dense.factorised(ranks) { dense.factors(of: $0) }
    let input = Self.batch.packed(capacity: 20)
    let expected = dense(input).values
    let scale = expected.map(abs).max() ?? 1
    #expect(distance(narrow(input).values, expected) < 2e-5 * scale)
    // By what the maps take, W is no less exact, though the rows of some maps hardly differ.
    let probe = CovarianceProbe { _ in true }
    dense.parameters.tracksGradients = false
    _ = dense(input, .observing(probe))
    let aware = try dense.factorised(ranks) {
      dense.factors(of: $0, covariance: probe.sums[$0.path])
    }
    #expect(distance(aware(input).values, expected) < 1e-3 * scale)
    let saved = maps.reduce(0) { sum, map in
      guard let rank = ranks[map.path] else { return sum }
      return sum + map.inputs * map.outputs - rank * (map.inputs + map.outputs)
    }
    #expect(saved > 0 && dense.parameters.count - narrow.parameters.count == saved)
  }

  @Test(
    "Every narrow model can be trained: its gradients are those of its loss",
    arguments: VariantCatalog.all)
  func trains(entry: VariantEntry) throws {
    let dense = try model(entry)
    guard !dense.denseMaps.isEmpty else { return }
    var configuration = dense.configuration
    // Of the first block some maps stay dense, and ranks differ.
    let ranks = dense.denseMaps.enumerated().filter { $0.offset != 1 }.map {
      "\($0.element.path)=\(2 + $0.offset % 2)"
    }
    configuration.ranks = ranks.joined(separator: " ")
    configuration.dropout = 0.1
    let narrow = try Classifier(configuration, seed: 3)
    let loss = crossEntropy(
      narrow(Self.batch.packed(capacity: 20), .training(DropoutSeed(seed: 1, step: 1))),
      labels: Self.batch.labels)
    loss.backward()
    narrow.parameters.values.completeGradients()
    for parameter in narrow.parameters.all where parameter.name.hasSuffix("reduce.weight") {
      let gradient = narrow.parameters.values.gradient(parameter.range)
      #expect(gradient.contains { $0 != 0 } && gradient.allSatisfy(\.isFinite), "\(parameter.name)")
    }
  }

  /// E‖(W − W_r)x‖² is the sum of the σ² that are left out, and no other matrix of the rank has less.
  @Test(
    "By what a map takes, the error is that of the outputs", arguments: [(7, 5), (5, 9), (12, 12)])
  func whitening(rows: Int, columns: Int) {
    var random = RandomData("whitening \(rows) \(columns)")
    let weight = random.floats(rows * columns)
    let count = 200
    let mixing = random.floats(columns * columns)
    let plain = random.floats(count * columns)
    let x = (0..<count).map { n in
      (0..<columns).map { j in
        (0..<columns).reduce(0.0) {
          $0 + Double(plain[n * columns + $1] * mixing[$1 * columns + j]) * ($1 == 0 ? 5 : 1)
        }
      }
    }
    var covariance = [Double](repeating: 0, count: columns * columns)
    for row in x {
      for i in 0..<columns {
        for j in 0..<columns { covariance[i * columns + j] += row[i] * row[j] }
      }
    }
    let error = { (factors: (expand: [Float], reduce: [Float]), rank: Int) -> Double in
      x.reduce(0.0) { sum, row in
        let inner = (0..<rank).map { k in
          (0..<columns).reduce(0.0) { $0 + Double(factors.reduce[k * columns + $1]) * row[$1] }
        }
        return (0..<rows).reduce(sum) { sum, o in
          let exact = (0..<columns).reduce(0.0) { $0 + Double(weight[o * columns + $1]) * row[$1] }
          let found = (0..<rank).reduce(0.0) {
            $0 + Double(factors.expand[o * rank + $1]) * inner[$1]
          }
          return sum + (exact - found) * (exact - found)
        }
      }
    }
    let aware = NarrowFactors(weight, rows: rows, columns: columns, covariance: covariance)
    let blind = NarrowFactors(weight, rows: rows, columns: columns)
    for rank in 1...2 {
      let left = aware.energies.dropFirst(rank).reduce(0, +)
      let found = error(aware.factors(rank: rank), rank)
      #expect(abs(found - left) < 1e-3 * left, "\(found) \(left)")
      #expect(found < error(blind.factors(rank: rank), rank))
    }
    // In full there is no error.
    let rank = min(rows, columns)
    let all = aware.energies.reduce(0, +)
    #expect(error(aware.factors(rank: rank), rank) < 1e-8 * all)
  }

  /// Sums in fp32 of rows that are nearly one: S has eigenvalues below zero, as far as it shows.
  @Test("Rows that hardly differ leave finite factors")
  func degenerate() {
    var random = RandomData("degenerate")
    let (weight, row) = (random.floats(12 * 16), random.floats(16, in: 1...2))
    var covariance = [Double](repeating: 0, count: 256)
    for i in 0..<16 {
      for j in 0..<16 { covariance[i * 16 + j] = Double(Float(1e5) * row[i] * row[j]) }
    }
    covariance[17] -= 0.2
    let factors = NarrowFactors(weight, rows: 12, columns: 16, covariance: covariance)
    #expect(factors.energies.allSatisfy { $0.isFinite })
    for rank in [1, 5] {
      let (expand, reduce) = factors.factors(rank: rank)
      let largest = (expand + reduce).reduce(Float(0)) { max($0, abs($1)) }
      #expect(largest.isFinite && largest < 1e4 && !(expand + reduce).contains { $0.isNaN })
    }
  }

  @Test("What the maps take is summed over all rows")
  func covariances() throws {
    let dense = try model(VariantCatalog.named("transformer"))
    dense.parameters.tracksGradients = false
    let probe = CovarianceProbe { $0.hasSuffix("query") || $0.hasSuffix("outer") }
    _ = dense(Self.batch.packed(capacity: 20), .observing(probe))
    #expect(probe.sums.count == 4)
    let first = try #require(probe.sums["blocks.0.mixer.query"])
    // Rows of a norm of scale 1: a row's squares sum to E.
    let trace = (0..<16).reduce(0.0) { $0 + first[$1 * 17] }
    #expect(abs(trace - 39 * 16) < 1)
    #expect(probe.sums["blocks.1.feed-forward.outer"]?.count == 24 * 24)
  }

  private let maps = [
    MapShapeCase(
      path: "a", outputs: 64, inputs: 64,
      energies: [8, 4, 2, 1] + Array(repeating: 0.01, count: 60)),
    MapShapeCase(path: "b", outputs: 128, inputs: 64, energies: Array(repeating: 1, count: 64)),
  ]

  @Test("Limits of ranks, and each rule")
  func rules() throws {
    for (inputs, outputs, limit) in [
      (64, 64, 32), (64, 128, 42), (512, 512, 256), (512, 2048, 409), (768, 3072, 614),
    ] {
      #expect(
        MapShapeCase(path: "", outputs: outputs, inputs: inputs, energies: []).map.limit == limit)
    }
    let spectra = maps.map { (map: $0.map, energies: $0.energies) }
    #expect(try RankRule.rank(40).ranks(spectra, others: 0) == ["b": 40])
    #expect(try RankRule.share(0.5).ranks(spectra, others: 0) == ["a": 16, "b": 21])
    // 15.6 in all; 14 of it are more than 0.85. The flat one would need 55, above its limit.
    #expect(try RankRule.energy(0.85).ranks(spectra, others: 0) == ["a": 3])
    #expect(throws: UserError.self) { try RankRule.rank(42).ranks(spectra, others: 0) }
    #expect(throws: UserError.self) { try RankRule.energy(0.9999).ranks(spectra, others: 0) }
  }

  /// σ²/‖W‖²/(in + out): of a 8, 4, 2, 1 of 15.6 over 128, of b 1 of 64 over 192.
  @Test("A budget goes where it gains most, and is kept")
  func budget() throws {
    let spectra = maps.map { (map: $0.map, energies: $0.energies) }
    for (values, expected) in [
      (1000 + 128 + 192, ["a": 1, "b": 1]), (1000 + 3 * 128 + 192, ["a": 3, "b": 1]),
      (1000 + 4 * 128 + 3 * 192, ["a": 4, "b": 3]),
    ] {
      #expect(
        try RankRule.budget(bytes: 4 * values).ranks(spectra, others: 1000) == expected)
    }
    for bytes in [4 * (1000 + 319), 4 * (1000 + 64 * 64 + 64 * 128)] {
      #expect(throws: UserError.self) {
        try RankRule.budget(bytes: bytes).ranks(spectra, others: 1000)
      }
    }
    for values in stride(from: 1320, to: 1000 + 64 * 192, by: 517) {
      let ranks = try RankRule.budget(bytes: 4 * values).ranks(spectra, others: 1000)
      let used = spectra.reduce(1000) { sum, part in
        let sides = part.map.inputs + part.map.outputs
        return sum + (ranks[part.map.path].map { $0 * sides } ?? part.map.inputs * part.map.outputs)
      }
      #expect(used <= values)
    }
  }

  @Test(
    "Rules of another form are refused",
    arguments: [
      "", "rank", "rank=0", "rank=x", "share=1", "share=0", "energy=1.5", "budget=x", "r=3",
    ])
  func misshapen(text: String) {
    #expect(throws: UserError.self) { try RankRule(text) }
  }

  @Test("Ranks of maps that there are not, or that save nothing, are refused")
  func refused() throws {
    for ranks in [
      "blocks.0.mixer.nothing=2", "blocks.0.mixer.query=8", "blocks.0.mixer.query",
      "blocks.0.mixer.query=0",
      "blocks.0.mixer.query=9223372036854775807", "blocks.0.mixer.query=2 blocks.0.mixer.query=3",
      "head.output=2",
    ] {
      var configuration = try model(VariantCatalog.named("transformer")).configuration
      configuration.ranks = ranks
      #expect(throws: UserError.self, "\(ranks)") { try Classifier(configuration, seed: 1) }
    }
  }
}

/// A map with its spectrum.
private struct MapShapeCase {
  let map: MapShape
  let energies: [Double]

  init(path: String, outputs: Int, inputs: Int, energies: [Double]) {
    map = MapShape(path: path, outputs: outputs, inputs: inputs, rank: nil)
    self.energies = energies
  }
}
