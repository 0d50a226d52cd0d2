// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models
import TestSupport
import Testing

/// Where Reformer is attention to everybody, how it gets there, and what its options change.
@Suite("Reformer")
struct ReformerTests {
  private static let input = TinyBatch(lengths: [20, 7, 1, 13]).packed(capacity: 20)

  private func model(
    _ options: [String: Setting], seed: UInt64 = 3, length: Int = 20
  ) throws -> Classifier {
    var configuration = try tinyConfiguration(VariantCatalog.named("reformer"), length: length)
    configuration.options.merge(options) { $1 }
    return try Classifier(configuration, seed: seed)
  }

  private func logits(_ options: [String: Setting]) throws -> [Float] {
    try model(options)(Self.input).values
  }

  /// One chunk holds everybody; two chunks see each other.
  @Test("With one or two chunks everybody sees everybody", arguments: [1, 3], [true, false])
  func isComplete(hashes: Int, once: Bool) throws {
    let options: [String: Setting] = [
      "hashes": .integer(hashes), "buckets": 4, "count-once": .boolean(once),
    ]
    let one = try logits(options.merging(["chunk": 20]) { $1 })
    let two = try logits(options.merging(["chunk": 10]) { $1 })
    #expect(distance(one, two) < 1e-5)
    #expect(try distance(one, logits(options.merging(["chunk": 4]) { $1 })) > 1e-4)
  }

  /// Pairs that meet in all rounds, or in none, would spoil it if they counted more than once.
  @Test("With many rounds that count once, it comes to attention to everybody")
  func converges() throws {
    let full = try logits(["chunk": 20])
    let errors = try [1, 8, 100].map { rounds in
      try distance(
        full, logits(["chunk": 6, "buckets": 4, "hashes": .integer(rounds), "count-once": true]))
    }
    #expect(errors[0] > errors[1] && errors[1] > errors[2])
    #expect(errors[2] < 1e-5)
    let often = try logits(["chunk": 6, "buckets": 4, "hashes": 100, "count-once": false])
    #expect(distance(full, often) > 1e-4)
  }

  @Test(
    "There are two buckets for each chunk, the last short one included",
    arguments: [(20, 6, 8), (18, 6, 6), (19, 6, 8), (5, 6, 2)])
  func buckets(length: Int, chunk: Int, count: Int) throws {
    let model = try model(["chunk": .integer(chunk), "hashes": 3], length: length)
    let rotations = try #require(model.parameters["blocks.0.mixer.rotations"])
    // Half as many rows as buckets, for each round of each head.
    #expect(rotations.shape[0] == 2 * 3 * count / 2)
  }

  @Test("Training draws new rotations at every step, and evaluation keeps the last")
  func redraws() throws {
    let model = try model(["chunk": 4])
    let at = { (step: Int) in
      let updates = BufferUpdates()
      let seed = DropoutSeed(seed: 1, step: step)
      defer { updates.commit() }
      return model(Self.input, .training(seed, updates: updates)).values
    }
    let first = at(1)
    #expect(at(1) == first)
    #expect(model(Self.input).values == first)
    let second = at(2)
    #expect(second != first)
    #expect(model(Self.input).values == second)
    let fixed = try self.model(["chunk": 4, "redraw": 0])
    #expect(fixed(Self.input, .training(DropoutSeed(seed: 1, step: 2))).values == first)
  }

  @Test("Reversible blocks keep less for the backward pass, however many there are")
  func memory() async {
    await #expect(processExitsWith: .success) {
      let peak = { (layers: Int, reversible: Bool) in
        var configuration = try tinyConfiguration(VariantCatalog.named("reformer"), length: 500)
        configuration.layers = layers
        configuration.options["reversible"] = .boolean(reversible)
        let model = try Classifier(configuration, seed: 3)
        let batch = TinyBatch(lengths: [500, 500])
        let input = batch.packed(capacity: 500)
        _ = model.parameters.values
        BufferPool.shared.resetPeak()
        let before = BufferPool.shared.counters.live
        crossEntropy(model(input), labels: batch.labels).backward()
        return BufferPool.shared.counters.peak - before
      }
      let (few, many) = (try peak(2, true), try peak(8, true))
      #expect(Double(many) < 1.1 * Double(few))
      #expect(try peak(8, false) > 2 * many)
    }
  }

  @Test("A wrong setting is refused with its name")
  func validation() throws {
    for (key, value) in [
      ("chunk", Setting.integer(0)), ("hashes", 0), ("buckets", 3), ("buckets", -2),
      ("redraw", -1), ("scale", 0.0),
    ] {
      let error = #expect(throws: UserError.self) { try model([key: value]) }
      #expect(error?.problem.contains("model.\(key)") == true)
    }
  }
}
