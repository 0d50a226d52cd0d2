// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import TestSupport
import Testing

/// How well random features estimate softmax attention, and when they are drawn anew.
@Suite("Performer")
struct PerformerTests {
  // MARK: The estimate

  private func matrix(_ rows: Int, _ columns: Int, _ random: inout RandomData) -> [Float] {
    random.normals(rows * columns).map { Float($0) }
  }

  private func dot(_ a: some Sequence<Double>, _ b: some Sequence<Double>) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  @Test("On average over the draws the features' product is the exponential")
  func unbiased() {
    let draws = 4000
    let (width, count) = (8, 12)
    var data = RandomData("unbiased")
    let (q, k) = (data.normals(width), data.normals(width))
    var random = RandomStream(seed: 1, stream: 2)
    let products = (0..<draws).map { _ in
      let rows = RandomRows(count: count, width: width).draw(heads: 1, &random)
      return (0..<count).reduce(0.0) { sum, r in
        let row = rows[r * width..<(r + 1) * width].map(Double.init)
        let features = [q, k].map { x in
          let scaled = x.map { $0 / pow(Double(width), 0.25) }
          return exp(dot(row, scaled) - dot(scaled, scaled) / 2)
        }
        return sum + features[0] * features[1] / Double(count)
      }
    }
    let mean = products.reduce(0, +) / Double(draws)
    let variance = products.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(draws - 1)
    let expected = exp(dot(q, k) / Double(width).squareRoot())
    let deviation = (variance / Double(draws)).squareRoot()
    #expect(abs(mean - expected) < 3 * deviation)
    #expect(deviation < 0.05 * expected)
  }

  /// ‖o - exact‖ / ‖exact‖ on 48 rows of D = 8, the mean over 20 draws and inputs.
  private func error(_ rows: RandomRows, deviation: Float) -> Double {
    let (length, width) = (48, rows.width)
    var data = RandomData("estimate")
    var random = RandomStream(seed: 3, stream: UInt64(rows.count))
    let one = PackedSequences(count: 1, length: length)
    return (0..<20).reduce(0) { sum, _ in
      let tensors = [deviation, deviation, 1].map { scale in
        Tensor(shape: [length, width], matrix(length, width, &data).map { $0 * scale })
      }
      let views = tensors.map { HeadsView($0, count: 1, width: width) }
      let exact = attention(
        query: views[0], key: views[1], value: views[2], queries: one, keys: one
      ).values.map(Double.init)
      let estimate = linearAttention(
        query: views[0], key: views[1], value: views[2], sequences: one,
        features: .randomSoftmax(
          Tensor(shape: [rows.count, width], rows.draw(heads: 1, &random)), epsilon: 1e-6),
        epsilon: 0
      ).values.map(Double.init)
      return sum + euclidean(zip(estimate, exact).map { $0 - $1 }) / euclidean(exact) / 20
    }
  }

  /// Expected are the means over 400 draws in double precision; that of 20 deviates by 10 %.
  ///
  /// They fall as M^-½. With blocks whose signs are not uniform they would stay above 0.036 and 0.073.
  @Test(
    "The error falls with the number of features as measured for uniform blocks",
    arguments: [
      (Float(0.25), [32: 0.0855, 128: 0.0418, 512: 0.0206, 2048: 0.0104]),
      (Float(0.5), [32: 0.267, 128: 0.151, 512: 0.0872, 2048: 0.0450]),
    ])
  func accuracy(deviation: Float, expected: [Int: Double]) {
    for (count, value) in expected {
      let found = error(RandomRows(count: count, width: 8), deviation: deviation)
      #expect(found > value / 1.35 && found < value * 1.35, "\(count) features: \(found)")
    }
  }

  /// Rows of length √D estimate another kernel: the error stops falling.
  @Test("Rows of one length are better where features are few, and biased where they are many")
  func fixedLength() {
    let errors = [RandomRows.Norms.chi, .rootD].map { norms in
      [32, 8192].map { count in
        var rows = RandomRows(count: count, width: 8)
        rows.norms = norms
        return error(rows, deviation: 0.5)
      }
    }
    #expect(errors[1][0] < 0.8 * errors[0][0])
    #expect(errors[1][1] > 1.7 * errors[0][1])
  }

  // MARK: New rows

  private func model(_ options: [String: Setting]) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named("performer"))
    configuration.options = options
    return try Classifier(configuration, seed: 3)
  }

  private func rows(_ model: Classifier, _ layer: Int = 0) throws -> [Float] {
    let parameter = try #require(model.parameters["blocks.\(layer).mixer.features"])
    return model.parameters.values.values(parameter.range)
  }

  private let input = TinyBatch(lengths: [5, 3]).packed(capacity: 20)

  /// The forward pass of a training step, and what it changes in buffers.
  private func train(_ model: Classifier, _ step: Int) {
    let updates = BufferUpdates()
    _ = model(input, .training(DropoutSeed(seed: 1, step: step), updates: updates))
    updates.commit()
  }

  @Test("Each draw serves as many training steps as asked for, and evaluation changes nothing")
  func redraws() throws {
    let model = try model(["redraw": 3])
    var seen = [try rows(model)]
    for step in 1...7 {
      train(model, step)
      let now = try rows(model)
      let isFirst = step == 4 || step == 7
      #expect((now == seen[seen.count - 1]) == !isFirst, "step \(step)")
      if isFirst { seen.append(now) }
      train(model, step)
      _ = model(input)
      #expect(try rows(model) == now)
    }
    #expect(seen.count == 3 && seen[0] != seen[2])
    #expect(try rows(model, 0) != rows(model, 1))
  }

  @Test("A draw depends on the seed and its number alone")
  func pureDraws() throws {
    let runs = try [[4, 7], [7]].map { steps in
      let model = try model(["redraw": 3])
      for step in steps { train(model, step) }
      return try rows(model)
    }
    #expect(runs[0] == runs[1])
  }

  @Test("Without redraws the rows stay")
  func noRedraws() throws {
    let model = try model(["redraw": 0])
    let before = try rows(model)
    for step in [1, 2, 1001] { train(model, step) }
    #expect(try rows(model) == before)
  }

  @Test("The number of features is D·ln D unless it is given")
  func featureCount() throws {
    // D = 8: 8·ln 8 = 16.6.
    #expect(try model([:]).parameters["blocks.0.mixer.features"]?.shape == [2 * 16, 8])
    #expect(try model(["features": 5]).parameters["blocks.0.mixer.features"]?.shape == [10, 8])
    #expect(throws: UserError.self) { try model(["features": -1]) }
  }

  @Test("Rows are neither trained nor counted, and of the softmax kernel they get no gradient")
  func notTrained() throws {
    let model = try model([:])
    let usual = try Classifier(tinyConfiguration(VariantCatalog.named("linear")), seed: 3)
    #expect(model.parameters.count == usual.parameters.count)
    let before = try rows(model)
    let adam = AdamLoop(model.parameters, rate: 0.1)
    adam.minimize(crossEntropy(model(input), labels: [0, 1]))
    #expect(try rows(model) == before)
  }
}
