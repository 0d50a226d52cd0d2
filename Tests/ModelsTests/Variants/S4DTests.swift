// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import TestSupport
import Testing

/// What must hold for diagonal state-space models beside what holds for every variant.
@Suite("S4D")
struct S4DTests {
  private func model(_ options: [String: Setting]) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named("s4d"))
    configuration.options.merge(options) { $1 }
    return try Classifier(configuration, seed: 3)
  }

  private func tensor(_ model: Classifier, _ name: String) throws -> Tensor {
    try #require(model.parameters["blocks.0.mixer.\(name)"]).tensor.detached
  }

  private func coefficients(
    _ model: Classifier, _ output: String = "output", stretchedBy factor: Double = 1
  ) throws -> Tensor {
    let steps = try tensor(model, "log-dt").values.map { $0 + Float(Foundation.log(factor)) }
    return zeroOrderHold(
      logStep: Tensor(shape: [steps.count], steps), logDecay: try tensor(model, "log-re"),
      frequency: try tensor(model, "im"), output: try tensor(model, "\(output).weight"))
  }

  @Test("The HiPPO frequencies are those of an independent eigensolver")
  func hippo() {
    let golden: [Int: [Double]] = [
      4: [0.5565, 4.6033], 8: [0.4275, 1.9578, 5.3542, 19.8574],
      16: [0.3520, 1.3720, 2.8997, 5.0900, 8.3621, 13.8343], 64: [0.2639, 0.9059, 1.703, 2.6257],
    ]
    for (states, expected) in golden {
      let found = hippoFrequencies(states: states)
      #expect(found.count == states / 2)
      for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-4, "\(states): \(a), \(b)") }
    }
    #expect(abs((hippoFrequencies(states: 16).last ?? 0) - 80.966) < 1e-3)
    #expect(abs((hippoFrequencies(states: 64).last ?? 0) - 1303.27) < 1e-2)
    // The sum of the squares of the eigenvalues is half the sum of those of the elements.
    let squares = hippoFrequencies(states: 10).reduce(0) { $0 + $1 * $1 }
    var elements = 0.0
    for n in 0..<10 {
      for k in 0..<10 where k != n { elements += Double((2 * n + 1) * (2 * k + 1)) / 4 }
    }
    #expect(abs(squares - elements / 2) < 1e-9 * squares)
  }

  @Test("The first values are those of the formulas", arguments: ["lin", "inv", "legs"])
  func initialValues(initial: String) throws {
    let expected: [String: [Double]] = [
      "lin": [0, .pi, 2 * .pi, 3 * .pi], "inv": [17.8254, 4.2441, 1.5279, 0.3638],
      "legs": [0.4275, 1.9578, 5.3542, 19.8574],
    ]
    let own = try model(["initial": .text(initial), "dt-min": 0.01, "dt-max": 0.02])
    let frequencies = try tensor(own, "im")
    #expect(frequencies.shape == [4, 16])
    for (i, value) in frequencies.values.enumerated() {
      #expect(abs(Double(value) - (expected[initial] ?? [])[i / 16]) < 1e-4)
    }
    #expect(try tensor(own, "log-re").values.allSatisfy { abs(Foundation.exp($0) - 0.5) < 1e-6 })
    let steps = try tensor(own, "log-dt").values.map { Foundation.exp($0) }
    #expect(steps.allSatisfy { 0.01 <= $0 && $0 <= 0.02 } && Set(steps).count > 10)
    let shared = try model(["initial": .text(initial), "shared": true])
    #expect(try tensor(shared, "im").shape == [4, 1])
  }

  /// With the first values of N = 64, whose poles turn by more than a whole circle a step.
  @Test(
    "The recurrence is the convolution with the explicit kernel",
    arguments: [[1, 63, 64, 65, 130], [200]], ["lin", "inv", "legs"])
  func convolution(lengths: [Int], initial: String) throws {
    let model = try model(["initial": .text(initial), "states": 64])
    let sequences = PackedSequences(offsets: offsets(lengths))
    var random = RandomData("s4d")
    let u = random.floats(sequences.rows * 16)
    let names = ["output", "output.reversed"]
    let y = stateSpaceScan(
      Tensor(shape: [sequences.rows, 16], u),
      try names.enumerated().map {
        StateSpace(try coefficients(model, $0.element), reversed: $0.offset == 1)
      }, skip: try tensor(model, "skip"), sequences: sequences)
    let matrix = { (name: String) in
      let values = try tensor(model, name)
      return Matrix(values.rows, values.columns, values.values.map { Double($0) })
    }
    let exact = try names.map {
      Oracle.zeroOrderHold(
        logStep: try matrix("log-dt").values, logDecay: try matrix("log-re"),
        frequency: try matrix("im"), output: try matrix("\($0).weight"))
    }
    let expected = Oracle.stateSpaceScan(
      Matrix(sequences.rows, 16, u.map { Double($0) }), [(exact[0], false), (exact[1], true)],
      skip: try matrix("skip").values, offsets: sequences.offsets)
    let scale = expected.values.map { abs($0) }.max() ?? 0
    #expect(distance(y.values, expected.values.map { Float($0) }) < 1e-5 * Float(scale))
  }

  /// One system without a skip on one sequence.
  private func run(
    _ model: Classifier, _ u: [Float], stretchedBy factor: Double = 1, reversed: Bool = false
  ) throws -> [Float] {
    let system = StateSpace(try coefficients(model, stretchedBy: factor), reversed: reversed)
    let none = Tensor(shape: [16], [Float](repeating: 0, count: 16))
    let one = PackedSequences(count: 1, length: u.count / 16)
    return stateSpaceScan(Tensor(shape: [one.rows, 16], u), [system], skip: none, sequences: one)
      .values
  }

  private func row(_ values: [Float], _ index: Int) -> [Float] {
    Array(values[index * 16..<(index + 1) * 16])
  }

  /// A held input that is sampled half as often, with steps twice as long, is the same input.
  @Test("Twice the time step on half the samples gives the same result")
  func sampling() throws {
    let model = try model(["states": 32])
    let length = 70
    var random = RandomData("held")
    let coarse = random.floats(length * 16)
    let fine = (0..<2 * length).flatMap { row(coarse, $0 / 2) }
    let slow = try run(model, coarse, stretchedBy: 2)
    let fast = try run(model, fine)
    let ends = (0..<length).flatMap { row(fast, 2 * $0 + 1) }
    let size = slow.map { abs($0) }.max() ?? 0
    #expect(distance(slow, ends) < 1e-4 * size)
    #expect(distance(slow, try run(model, coarse)) > 1e-2)
  }

  @Test("A reversed system does not hear its own row, a forward one does")
  func lag() throws {
    let model = try model([:])
    var u = [Float](repeating: 0, count: 5 * 16)
    for channel in 0..<16 { u[2 * 16 + channel] = 1 }
    let forward = try run(model, u)
    let reversed = try run(model, u, reversed: true)
    #expect(forward[..<32].allSatisfy { $0 == 0 } && row(forward, 2).allSatisfy { $0 != 0 })
    #expect(reversed[32...].allSatisfy { $0 == 0 })
    #expect(distance(row(reversed, 1), row(forward, 2)) < 1e-6)
    #expect(distance(row(reversed, 0), row(forward, 3)) < 1e-6)
  }

  @Test(
    "Settings that make no system are refused by name",
    arguments: [
      ("states", Setting.integer(7)), ("states", .integer(0)), ("dt-min", .number(0)),
      ("dt-max", .number(1e-4)), ("initial", .text("real")),
    ])
  func refused(key: String, value: Setting) {
    #expect(throws: UserError.self) { _ = try model([key: value]) }
    let error = Result { try model([key: value]) }
    if case .failure(let problem) = error { #expect("\(problem)".contains("model.\(key)")) }
  }
}
