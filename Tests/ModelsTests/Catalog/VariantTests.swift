// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import TestSupport
import Testing

extension VariantEntry: CustomTestStringConvertible {
  /// The name on the command line.
  package var testDescription: String { name }
}

/// What must hold for every variant, whatever it computes.
@Suite("Every variant")
struct VariantTests {
  static let lengths = [5, 20, 1, 13, 7]
  static let batch = TinyBatch(lengths: lengths)

  private func model(
    _ entry: VariantEntry, pooling: Pooling = .mean, dropout: Double = 0
  ) throws -> Classifier {
    try Classifier(tinyConfiguration(entry, pooling: pooling, dropout: dropout), seed: 3)
  }

  /// The logits of one sequence of a batch.
  private func row(_ logits: Tensor, _ sequence: Int) -> [Float] {
    Array(logits.values[sequence * logits.columns..<(sequence + 1) * logits.columns])
  }

  private func gradients(_ model: Classifier, _ loss: Tensor) -> [[Float]] {
    model.parameters.values.clearGradients()
    loss.backward()
    model.parameters.values.completeGradients()
    return model.parameters.all.map { model.parameters.values.gradient($0.range) }
  }

  @Test(
    "A sequence's logits depend neither on its batch mates nor on the room for padding",
    arguments: VariantCatalog.all, Pooling.allCases)
  func batchMates(entry: VariantEntry, pooling: Pooling) throws {
    let model = try model(entry, pooling: pooling)
    let together = model(Self.batch.packed(capacity: 20))
    #expect(together.shape == [5, 4])
    for s in Self.lengths.indices {
      for capacity in [Self.lengths[s], 20] {
        let alone = model(Self.batch.packed([s], capacity: capacity))
        #expect(distance(alone.values, row(together, s)) < 1e-5)
      }
    }
    #expect(
      distance(row(together, 0), row(together, 1)) > 1e-3,
      "no token's row reaches the logits: with cls, what carries tokens to the class token?")
  }

  @Test("The order of a batch does not matter", arguments: VariantCatalog.all, Pooling.allCases)
  func batchOrder(entry: VariantEntry, pooling: Pooling) throws {
    let model = try model(entry, pooling: pooling)
    let order = [3, 0, 4, 1, 2]
    let plain = model(Self.batch.packed(capacity: 20))
    let permuted = model(Self.batch.packed(order, capacity: 20))
    for (place, s) in order.enumerated() {
      #expect(distance(row(permuted, place), row(plain, s)) < 1e-5)
    }
  }

  @Test("The order of the tokens matters", arguments: VariantCatalog.all)
  func tokenOrder(entry: VariantEntry) throws {
    let model = try model(entry)
    let tokens = Self.batch.sequences[1]
    let logits = [tokens, tokens.reversed()].map {
      model(PackedTokens(tokens: $0, offsets: [0, 20], capacity: 20)).values
    }
    #expect(distance(logits[0], logits[1]) > 1e-4)
  }

  @Test("The same seed gives the same bits, another seed others", arguments: VariantCatalog.all)
  func determinism(entry: VariantEntry) throws {
    let configuration = try tinyConfiguration(entry)
    let runs = try [UInt64(3), 3, 4].map { seed in
      let model = try Classifier(configuration, seed: seed)
      let logits = model(Self.batch.packed(capacity: 20))
      let values = logits.values
      return [values] + gradients(model, crossEntropy(logits, labels: Self.batch.labels))
    }
    #expect(runs[0] == runs[1])
    #expect(runs[0][0] != runs[2][0])
  }

  @Test(
    "Every weight gets a gradient that is not zero", arguments: VariantCatalog.all,
    Pooling.allCases)
  func everyGradient(entry: VariantEntry, pooling: Pooling) throws {
    let model = try model(entry, pooling: pooling)
    let loss = crossEntropy(
      model(Self.batch.packed(capacity: 20)), labels: Self.batch.labels)
    let idle = pooling == .cls ? VariantCase.of(entry).idleWithClassToken : []
    for (parameter, gradient) in zip(model.parameters.all, gradients(model, loss))
    where parameter.group != .buffer {
      let isIdle = idle.contains { parameter.name == "blocks.1.mixer.\($0)" }
      #expect(gradient.contains { $0 != 0 } != isIdle, "\(parameter.name)")
      #expect(gradient.allSatisfy { $0.isFinite }, "\(parameter.name)")
    }
  }

  /// Whatever a training step changes in buffers, it changes at the end.
  @Test(
    "A forward pass changes nothing, in training as in evaluation", arguments: VariantCatalog.all,
    [Normalization.layer, .batch])
  func pure(entry: VariantEntry, normalization: Normalization) throws {
    var configuration = try tinyConfiguration(entry)
    configuration.normalization = normalization
    if normalization == .batch { configuration.feedForward = 0 }
    if entry.name == "performer" { configuration.options["redraw"] = 1 }
    let model = try Classifier(configuration, seed: 3)
    let values = { model.parameters.all.map { model.parameters.values.values($0.range) } }
    let (before, updates) = (values(), BufferUpdates())
    let input = Self.batch.packed(capacity: 20)
    let logits = model(input, .training(DropoutSeed(seed: 1, step: 2), updates: updates)).values
    _ = model(input)
    #expect(values() == before)
    #expect(model(input, .training(DropoutSeed(seed: 1, step: 2))).values == logits)
    updates.commit()
    let moves = normalization == .batch || ["performer", "reformer"].contains(entry.name)
    #expect((values() != before) == moves)
  }

  @Test("Dropout is a function of seed and step", arguments: VariantCatalog.all, Pooling.allCases)
  func dropout(entry: VariantEntry, pooling: Pooling) throws {
    let model = try model(entry, pooling: pooling, dropout: 0.2)
    let input = Self.batch.packed(capacity: 20)
    let logits = { (seed: DropoutSeed?) in
      model(input, seed.map { .training($0) } ?? .evaluation).values
    }
    let first = logits(DropoutSeed(seed: 1, step: 5))
    #expect(first == logits(DropoutSeed(seed: 1, step: 5)))
    for other in [DropoutSeed(seed: 1, step: 6), DropoutSeed(seed: 2, step: 5), nil] {
      #expect(distance(first, logits(other)) > 1e-3)
    }
  }

  @Test(
    "A part of a batch drops what the whole batch drops", arguments: VariantCatalog.all,
    Pooling.allCases)
  func microBatch(entry: VariantEntry, pooling: Pooling) throws {
    let model = try model(entry, pooling: pooling, dropout: 0.2)
    let whole = model(Self.batch.packed(capacity: 20), .training(DropoutSeed(seed: 1, step: 5)))
    for first in 1..<5 {
      let before = Self.lengths[..<first].reduce(0, +)
      let seed = DropoutSeed(seed: 1, step: 5, sequencesBefore: first, tokensBefore: before)
      let part = model(Self.batch.packed(Array(first..<5), capacity: 20), .training(seed))
      for s in first..<5 { #expect(distance(row(part, s - first), row(whole, s)) < 1e-5) }
    }
  }

  @Test("Gradients of the parts of a batch add up to the whole's", arguments: VariantCatalog.all)
  func accumulation(entry: VariantEntry) throws {
    let model = try model(entry, dropout: 0.2)
    let labels = Self.batch.labels
    let arena = model.parameters.values
    let whole = gradients(
      model,
      crossEntropy(
        model(Self.batch.packed(capacity: 20), .training(DropoutSeed(seed: 1, step: 0))),
        labels: labels))
    arena.clearGradients()
    for part in [0..<2, 2..<5] {
      let before = Self.lengths[..<part.lowerBound]
      let seed = DropoutSeed(
        seed: 1, step: 0, sequencesBefore: before.count, tokensBefore: before.reduce(0, +))
      let logits = model(Self.batch.packed(Array(part), capacity: 20), .training(seed))
      crossEntropy(logits, labels: Array(labels[part]), count: 5).backward()
    }
    arena.completeGradients()
    for (parameter, expected) in zip(model.parameters.all, whole) {
      let scale = max(expected.map(abs).max() ?? 0, 1e-3)
      #expect(
        distance(arena.gradient(parameter.range), expected) < 1e-5 * scale, "\(parameter.name)")
    }
  }

  /// With dropout, redrawn rows and statistics of a batch, in one part or in two.
  @Test(
    "Blocks that are computed again give the same bits", arguments: VariantCatalog.all,
    [Normalization.layer, .batch])
  func recomputed(entry: VariantEntry, normalization: Normalization) throws {
    var configuration = try tinyConfiguration(entry, dropout: 0.2)
    configuration.layers = 3
    configuration.normalization = normalization
    if normalization == .batch { configuration.feedForward = 0 }
    if entry.name == "performer" { configuration.options["redraw"] = 1 }
    let runs = try [0, 1, 2].map { count in
      let model = try Classifier(configuration, seed: 3, recomputedBlocks: count)
      let updates = BufferUpdates()
      let loss = crossEntropy(
        model(
          Self.batch.packed(capacity: 20),
          .training(DropoutSeed(seed: 1, step: 2), updates: updates)), labels: Self.batch.labels)
      let gradients = gradients(model, loss)
      updates.commit()
      return [[loss.scalar]] + gradients
        + model.parameters.all.map { model.parameters.values.values($0.range) }
    }
    #expect(runs[1] == runs[0])
    #expect(runs[2] == runs[0])
  }

  /// With dropout, towers' worth of rows, and what layers carry to each other.
  @Test(
    "Activations kept in bfloat16 leave the loss as it is, and change gradients by less than 1 %",
    arguments: VariantCatalog.all)
  func roundedActivations(entry: VariantEntry) throws {
    var configuration = try tinyConfiguration(entry, dropout: 0.2)
    configuration.layers = 3
    let runs = try [Precision.fp32, .bf16].map { saved in
      let model = try Classifier(configuration, seed: 3, saved: saved)
      let loss = crossEntropy(
        model(Self.batch.packed(capacity: 20), .training(DropoutSeed(seed: 1, step: 2))),
        labels: Self.batch.labels)
      return (loss: loss.scalar, gradients: gradients(model, loss).flatMap(\.self))
    }
    #expect(runs[1].loss == runs[0].loss)
    #expect(runs[1].gradients != runs[0].gradients)
    #expect(relativeDistance(runs[1].gradients, runs[0].gradients) < 0.01)
  }

  private func relativeDistance(_ a: [Float], _ b: [Float]) -> Float {
    let difference = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (difference / b.reduce(0) { $0 + $1 * $1 }).squareRoot()
  }

  @Test("Operands of bfloat16 change the loss a little", arguments: VariantCatalog.all)
  func bfloat16(entry: VariantEntry) throws {
    let configuration = try tinyConfiguration(entry)
    let losses = try [Precision.fp32, .bf16].map { precision in
      let model = try Classifier(configuration, seed: 3, precision: precision)
      return crossEntropy(
        model(Self.batch.packed(capacity: 20)), labels: Self.batch.labels
      ).scalar
    }
    #expect(losses[0] != losses[1] && abs(losses[0] - losses[1]) < 0.02)
  }

  @Test("Sixteen random examples are learned by heart", arguments: VariantCatalog.all)
  func overfits(entry: VariantEntry) throws {
    let batch = TinyBatch(lengths: (0..<16).map { 5 + $0 })
    let model = try model(entry)
    let adam = AdamLoop(model.parameters, rate: 3e-3)
    let input = batch.packed(capacity: 20)
    var right = 0
    for _ in 0..<300 where right < 16 {
      let logits = model(input)
      right = (0..<16).count { s in
        let scores = row(logits, s)
        return scores.indices.max { scores[$0] < scores[$1] } == Int(batch.labels[s])
      }
      adam.minimize(crossEntropy(logits, labels: batch.labels))
    }
    #expect(right == 16)
  }
}
