// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import TestSupport
import Testing

/// Products of narrow matrices in place of dense ones.
@Suite("Low-rank transformer")
struct LowRankTests {
  private static let shapes = [(1, 1), (17, 5), (5, 17), (16, 16), (33, 24), (24, 65)]

  private func matrix(_ rows: Int, _ columns: Int, _ name: String = "matrix") -> [Float] {
    var random = RandomData("\(name) \(rows) \(columns)")
    return random.floats(rows * columns)
  }

  private func product(_ factors: (expand: [Float], reduce: [Float]), _ rows: Int) -> Matrix {
    let rank = factors.expand.count / rows
    return Matrix(rows, rank, factors.expand.map(Double.init))
      .times(Matrix(rank, factors.reduce.count / rank, factors.reduce.map(Double.init)))
  }

  private func squares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }

  @Test("At full rank the factors are the matrix", arguments: shapes)
  func fullRank(rows: Int, columns: Int) {
    let values = matrix(rows, columns)
    let found = product(
      SingularValues(values, rows: rows, columns: columns).factors(rank: min(rows, columns)), rows)
    #expect(distance(found.values.map(Float.init), values) < 1e-5)
  }

  @Test("The error is the sum of the squares of the values left out", arguments: shapes)
  func truncation(rows: Int, columns: Int) {
    let values = matrix(rows, columns)
    let decomposition = SingularValues(values, rows: rows, columns: columns)
    #expect(decomposition.values == decomposition.values.sorted(by: >))
    #expect(abs(squares(decomposition.values) - squares(values.map(Double.init))) < 1e-9)
    for rank in 1...min(rows, columns) {
      let found = product(decomposition.factors(rank: rank), rows)
      let error = squares(zip(found.values, values).map { $0 - Double($1) })
      #expect(abs(error - squares(Array(decomposition.values[rank...]))) < 1e-5)
    }
  }

  @Test("A product has the rank of its factors, and both have the same norm", arguments: shapes)
  func rank(rows: Int, columns: Int) {
    let rank = (min(rows, columns) + 1) / 2
    let factors = SingularValues(matrix(rows, columns), rows: rows, columns: columns)
      .factors(rank: rank)
    let found = SingularValues(
      product(factors, rows).values.map(Float.init), rows: rows, columns: columns)
    #expect(found.values[rank - 1] > 1e-3)
    #expect(found.values[rank...].allSatisfy { $0 < 1e-5 })
    let norms = [factors.expand, factors.reduce].map { squares($0.map(Double.init)) }
    #expect(abs(norms[0] - norms[1]) < 1e-4 * norms[0])
  }

  @Test("A matrix of zeros has factors of zeros")
  func zeros() {
    let nothing = SingularValues([Float](repeating: 0, count: 12), rows: 3, columns: 4)
    #expect(nothing.values == [0, 0, 0])
    #expect(nothing.factors(rank: 2).expand.allSatisfy { $0 == 0 })
  }

  private func model(_ name: String, _ options: [String: Setting] = [:]) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named(name))
    configuration.options = options
    return try Classifier(configuration, seed: 3)
  }

  /// E = H·D = 16: four matrices of 16 × 16, limit 8; F = 24: two of 16 × 24, limit 9.
  @Test("The number of parameters is that of the formula", arguments: [1, 3, 7, 8, 9])
  func parameterCount(rank: Int) throws {
    let square = rank < 8 ? 2 * 16 * rank : 16 * 16
    let tall = rank < 9 ? (16 + 24) * rank : 16 * 24
    let saved = 2 * (4 * (16 * 16 - square) + 2 * (16 * 24 - tall))
    let counts = try [model("transformer"), model("lowrank", ["rank": .integer(rank)])]
      .map(\.parameters.count)
    #expect(counts[0] - counts[1] == saved)
  }

  @Test("The rank is a share of the one that saves nothing")
  func share() throws {
    let narrow = try model("lowrank", ["rank-share": 0.5])
    #expect(narrow.parameters["blocks.0.mixer.query.reduce.weight"]?.shape == [4, 16])
    #expect(narrow.parameters["blocks.1.feed-forward.outer.reduce.weight"]?.shape == [4, 24])
    #expect(narrow.parameters["blocks.1.feed-forward.outer.expand.weight"]?.shape == [16, 4])
  }

  @Test("Whole matrices make it the transformer")
  func dense() throws {
    let input = TinyBatch(lengths: [5, 20, 1]).packed(capacity: 20)
    let logits = try [model("transformer"), model("lowrank", ["rank-share": .number(1)])]
      .map { $0(input).values }
    #expect(logits[0] == logits[1])
  }

  /// Drawn from one matrix, so the factors fit each other; two random factors would not.
  @Test("The start from a decomposition is balanced, with the largest values of a Xavier matrix")
  func svdStart() throws {
    let narrow = try model("lowrank", ["start": "svd", "rank": 4])
    let values = try ["expand", "reduce"].map { side in
      let parameter = try #require(
        narrow.parameters["blocks.0.feed-forward.inner.\(side).weight"])
      return narrow.parameters.values.values(parameter.range)
    }
    let norms = values.map { squares($0.map(Double.init)) }
    #expect(abs(norms[0] - norms[1]) < 1e-4 * norms[0])
    let found = SingularValues(
      product((values[0], values[1]), 24).values.map(Float.init), rows: 24, columns: 16)
    // The expected sum of squares of all values is 2·24·16/(24 + 16).
    let energy = squares(found.values) / (2 * 24 * 16 / 40.0)
    #expect(energy > 0.3 && energy < 0.9)
  }

  @Test("A share outside 0 to 1 and a negative rank are refused")
  func errors() throws {
    for options: [String: Setting] in [["rank-share": 0], ["rank-share": 1.5], ["rank": -1]] {
      #expect(throws: UserError.self) { try model("lowrank", options) }
    }
  }
}
