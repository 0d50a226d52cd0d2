// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import TestSupport
import Testing

/// What must hold for the linear recurrent unit beside what holds for every variant.
@Suite("LRU")
struct LRUTests {
  private func model(
    _ options: [String: Setting], positions: PositionalEncoding = .learned
  ) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named("lru"), length: 40)
    configuration.options.merge(options) { $1 }
    configuration.positions = positions
    return try Classifier(configuration, seed: 3)
  }

  private func tensor(_ model: Classifier, _ name: String) throws -> Tensor {
    try #require(model.parameters["blocks.0.mixer.\(name)"]).tensor.detached
  }

  /// The states that the layer's weights make of an input.
  private func states(_ model: Classifier, _ u: Tensor, _ sequences: PackedSequences) throws
    -> Tensor
  {
    let poles = ringPoles(
      logDecay: try tensor(model, "nu"), logPhase: try tensor(model, "theta"))
    let weight = scaledRows(
      try tensor(model, "input.weight"), logScales: try tensor(model, "gamma-log"))
    return diagonalScan(linear(u, weight: weight), poles: poles, sequences: sequences)
  }

  @Test(
    "The first poles lie on the ring, as many in each half of its area",
    arguments: [(0, 0.99, 2 * Double.pi), (0.9, 0.999, 0.3), (0, 1, 1)])
  func ring(low: Double, high: Double, phase: Double) throws {
    let count = 400
    let model = try model([
      "states": .integer(count), "r-min": .number(low), "r-max": .number(high),
      "max-phase": .number(phase),
    ])
    let moduli = try tensor(model, "nu").values.map { Foundation.exp(-Foundation.exp(Double($0))) }
    let phases = try tensor(model, "theta").values.map { Foundation.exp(Double($0)) }
    #expect(moduli.allSatisfy { low - 1e-6 <= $0 && $0 <= high + 1e-6 })
    #expect(phases.allSatisfy { 0 < $0 && $0 <= phase + 1e-6 })
    let middle = ((low * low + high * high) / 2).squareRoot()
    #expect((160...240).contains(moduli.count { $0 < middle }))
    #expect((160...240).contains(phases.count { $0 < phase / 2 }))
    let gammas = try tensor(model, "gamma-log").values
    for (modulus, gamma) in zip(moduli, gammas) where modulus < 0.9999 {
      #expect(abs(Foundation.exp(2 * Double(gamma)) - (1 - modulus * modulus)) < 1e-5)
    }
  }

  /// E|h|² = e^(2γ)·E|Bu|² / (1 - |λ|²), and the rows of B have E|Bu|² = 1 for white u.
  @Test("White noise gives every state a variance near 1")
  func variance() throws {
    let (length, count) = (20_000, 64)
    let model = try model(["states": .integer(count), "r-max": 0.95])
    var random = RandomData("white")
    let u = Tensor(shape: [length, 16], random.normals(length * 16).map { Float($0) })
    let h = try states(model, u, PackedSequences(count: 1, length: length)).values
    let weight = try tensor(model, "input.weight").values.map { Double($0) }
    var mean = 0.0
    for state in 0..<count {
      let power = (100..<length).reduce(0.0) { sum, row in
        let (re, im) = (h[row * 2 * count + state], h[row * 2 * count + count + state])
        return sum + Double(re * re + im * im)
      }
      let driven = [state, count + state].reduce(0.0) { sum, row in
        weight[row * 16..<(row + 1) * 16].reduce(sum) { $0 + $1 * $1 }
      }
      let variance = power / Double(length - 100)
      // Real and imaginary part of Bu are not independent for one B, only on average over B.
      #expect((0.5...1.5).contains(variance / driven), "state \(state)")
      mean += variance / Double(count)
    }
    #expect((0.85...1.15).contains(mean))
  }

  @Test("The response to an impulse is Re(C·λ^t·e^γ·B)")
  func impulse() throws {
    let (length, count) = (30, 7)
    let model = try model(["states": .integer(count)])
    let complex = try ["input.weight", "output.weight"].map { try tensor(model, $0).values }
    let nu = try tensor(model, "nu").values.map { Double($0) }
    let theta = try tensor(model, "theta").values.map { Double($0) }
    let gamma = try tensor(model, "gamma-log").values.map { Double($0) }
    for channel in [0, 5, 15] {
      var u = [Float](repeating: 0, count: length * 16)
      u[channel] = 1
      let h = try states(
        model, Tensor(shape: [length, 16], u), PackedSequences(count: 1, length: length))
      let y = linear(h, weight: try tensor(model, "output.weight"))
      for (t, out) in [(0, 3), (1, 3), (13, 0), (29, 15)] {
        let expected = (0..<count).reduce(0.0) { sum, n in
          let size = Foundation.exp(gamma[n] - Double(t) * Foundation.exp(nu[n]))
          let angle = Double(t) * Foundation.exp(theta[n])
          let (a, b) = (size * Foundation.cos(angle), size * Foundation.sin(angle))
          let (bRe, bIm) = (
            Double(complex[0][n * 16 + channel]), Double(complex[0][(count + n) * 16 + channel])
          )
          // The weight holds -Im(C).
          let (cRe, cIm) = (
            Double(complex[1][out * 2 * count + n]),
            -Double(complex[1][out * 2 * count + count + n])
          )
          return sum + cRe * (a * bRe - b * bIm) - cIm * (a * bIm + b * bRe)
        }
        #expect(abs(Double(y.values[t * 16 + out]) - expected) < 2e-6)
      }
    }
  }

  @Test("Reading backwards with the two output maps exchanged changes nothing")
  func mirror() throws {
    let both = try model(["bidirectional": true], positions: .none)
    let exchanged = try model(["bidirectional": true], positions: .none)
    for parameter in both.parameters.all where parameter.name.contains(".mixer.output") {
      let twin =
        parameter.name.contains("reversed")
        ? parameter.name.replacing(".reversed", with: "")
        : parameter.name.replacing("output", with: "output.reversed")
      exchanged.parameters.values.fill(
        try #require(exchanged.parameters[twin]).range,
        both.parameters.values.values(parameter.range))
    }
    let tokens = TinyBatch(lengths: [40]).sequences[0]
    let logits = { (model: Classifier, tokens: [Int32]) in
      model(PackedTokens(tokens: tokens, offsets: [0, 40], capacity: 40)).values
    }
    let forward = logits(both, tokens)
    #expect(distance(forward, logits(exchanged, tokens.reversed())) < 1e-5)
    #expect(distance(forward, logits(both, tokens.reversed())) > 1e-4)
  }

  @Test("A setting whose default is a whole number takes fractions, a count does not")
  func kinds() throws {
    let options = try VariantCatalog.named("lru").options
    let defaults = Dictionary(uniqueKeysWithValues: options.map { ($0.name, $0.value) })
    #expect(defaults["r-min"] == .number(0) && defaults["r-max"] == .number(0.99))
    #expect(defaults["states"] == .integer(256) && defaults["bidirectional"] == .boolean(false))
  }

  @Test(
    "Settings that make no recurrence are refused by name",
    arguments: [
      ("states", Setting.integer(0)), ("r-min", .number(-0.1)), ("r-min", .number(0.995)),
      ("r-max", .number(1.1)), ("max-phase", .number(0)),
    ])
  func refused(key: String, value: Setting) {
    #expect(throws: UserError.self) { _ = try model([key: value]) }
    let error = Result { try model([key: value]) }
    if case .failure(let problem) = error { #expect("\(problem)".contains("model.\(key)")) }
  }
}
