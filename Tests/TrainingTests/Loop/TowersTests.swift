// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import Runs
import Tasks
import TestSupport
import Testing
import Training

/// Training, evaluation and checkpoints of examples that are two sequences.
@Suite struct TowersTests {
  /// A tiny run on pairs of words, which are in one class when they are the same.
  private func configuration(
    _ folder: String, _ changes: [String] = [], model: String = "transformer"
  ) throws -> RunConfiguration {
    var random = RandomData("pairs")
    try createFolder("\(folder)/data/retrieval")
    for (split, count) in [("train", 40), ("eval", 20), ("test", 20)] {
      let lines = (0..<count).map { number in
        let letters = random.integers(2, in: 0..<20).map { UnicodeScalar(UInt8(97 + $0)) }
        let second = number % 2 == 1 ? letters[0] : letters[1]
        let texts = zip([letters[0], second], [5, 9]).map { String(repeating: "\($0)", count: $1) }
        return "\(letters[0] == second ? 1 : 0)\tP\tN\t\(texts[0])\t\(texts[1])\n"
      }
      try writeAtomically(
        Array(lines.joined().utf8), to: "\(folder)/data/retrieval/new_aan_pairs.\(split).tsv")
    }
    var request = RunConfiguration.Request(
      task: "retrieval", model: model, dataFolder: "\(folder)/data")
    request.assignments =
      ([
        "task.length=8", "model.width=16", "model.feed-forward=16", "train.batch=8",
        "train.steps=6", "train.eval-every=3", "train.checkpoint-every=3",
        "train.learning-rate=1e-2",
      ] + changes).map { ($0, "test") }
    return try RunConfiguration(request)
  }

  private func batch(_ configuration: RunConfiguration, step: Int) throws -> Batch {
    let source = try configuration.task.examples(.train)
    let size = configuration.training.batch
    let order = TrainingOrder(count: source.count, seed: configuration.training.seed)
    return try makeBatch(
      source, examples: order.examples(start: (step - 1) * size, count: size), towers: 2)
  }

  @Test("Parts of a batch of pairs add up to the whole, dropout included")
  func accumulation() throws {
    try withTemporaryFolder { folder in
      let whole = try configuration(folder)
      let parts = try configuration(folder, ["train.accumulation=3"])
      let (a, b) = (try makeTrainer(whole), try makeTrainer(parts))
      for step in 1...3 {
        let batch = try batch(whole, step: step)
        let (first, second) = (try a.step(step, batch), try b.step(step, batch))
        #expect(first.count == 8 && first.tokens == batch.tokens.count)
        #expect(abs(first.loss - second.loss) < 1e-5)
        #expect(abs(first.gradientNorm - second.gradientNorm) < 1e-4 * first.gradientNorm)
      }
    }
  }

  @Test("Pairs do not depend on each other, in any model", arguments: VariantCatalog.all)
  func independence(entry: VariantEntry) throws {
    var configuration = try tinyConfiguration(entry)
    configuration.towers = 2
    let model = try Classifier(configuration, seed: 3)
    let batch = TinyBatch(lengths: [5, 20, 1, 13, 7, 7])
    let together = model(batch.packed(capacity: 20)).values
    for (pair, order) in [[0, 1], [2, 3], [4, 5]].enumerated() {
      let alone = model(batch.packed(order, capacity: 20)).values
      #expect(alone.count == 4)
      #expect(distance(alone, Array(together[4 * pair..<4 * pair + 4])) < 1e-5)
      let exchanged = model(batch.packed(order.reversed(), capacity: 20)).values
      #expect(distance(alone, exchanged) > 1e-4)
    }
  }

  @Test("Buffers of pairs are all used again from the third step on")
  func buffers() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let configuration = try TowersTests().configuration(folder)
        let trainer = try makeTrainer(configuration)
        var misses = 0
        for step in 1...5 {
          if step == 3 { misses = BufferPool.shared.counters.misses }
          _ = try trainer.step(step, TowersTests().batch(configuration, step: step))
        }
        #expect(BufferPool.shared.counters.misses == misses)
        #expect(liveOperations == 0)
      }
    }
  }

  @Test("A run ends with a checkpoint that evaluates to the same, at any batch size")
  func run() throws {
    try withTemporaryFolder { folder in
      let configuration = try configuration(folder)
      let run = try TrainingRun(
        configuration, folder: RunFolder.create("\(folder)/run"), resuming: false, timeLimit: nil,
        console: SilentConsole())
      guard case .finished(let result) = try run.run() else {
        Issue.record("the run did not finish")
        return
      }
      #expect(result.testBest.count == 20)
      let saved = try SavedModel("\(folder)/run", choice: .best, dataFolder: "\(folder)/data")
      #expect(saved.model.configuration.towers == 2)
      let test = try configuration.task.examples(.test)
      for size in [1, 7, 50] {
        let found = try Evaluator(saved.model, configuration.task, batch: size).run(test)
        #expect(found?.correct == result.testBest.correct)
        #expect(abs((found?.loss ?? 0) - result.testBest.loss) < 1e-5)
      }
    }
  }

  @Test("Given tokens of pairs are [B, 2, L]")
  func tokenFile() throws {
    try withTemporaryFolder { folder in
      let model = try configuration(folder).model
      let path = "\(folder)/in.safetensors"
      let tokens: [Int32] = [1, 2, 0, 3, 0, 0, 4, 5, 6, 7, 8, 0]
      for (shape, isRight) in [
        ([2, 2, 3], true), ([4, 3], false), ([2, 3, 2], false), ([12], false),
      ] {
        var file = SafeTensors()
        file.add("tokens", shape: shape, tokens)
        try file.write(to: path)
        guard isRight else {
          let error = userError { _ = try TokenFile(path, for: model) }
          #expect(error?.problem == "\(path): there is no tensor tokens of shape [B, 2, L]")
          continue
        }
        let input = try TokenFile(path, for: model).input
        #expect(input.offsets == [0, 2, 3, 6, 8])
        #expect(input.tokens == [1, 2, 3, 4, 5, 6, 7, 8])
      }
    }
  }
}
