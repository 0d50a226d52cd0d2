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

/// Trainings of models with exits.
@Suite("Training of exits")
struct ExitTrainingTests {
  private static let four = ["model.layers=4"]
  private static let mixed = four + ["train.exits=mixed"]

  /// A run with exits of a model that was trained without.
  private func run(_ folder: String, _ changes: [String] = []) throws -> ResumableRun {
    let whole = try ResumableRun("\(folder)/whole", Self.four)
    try whole.train()
    return try ResumableRun(
      folder, Self.mixed + ["train.initial=\(whole.path)"] + changes)
  }

  @Test("The loss is that of its parts; exits learn from the last, which learns nothing of theirs")
  func loss() throws {
    try withTemporaryFolder { folder in
      let configuration = try tinyConfiguration(
        folder, model: "linear", Self.mixed + ["model.dropout=0"])
      let batch = try tinyBatch(configuration, step: 1)
      let input = PackedTokens(tokens: batch.tokens, offsets: batch.offsets, capacity: 40)
      let (model, twin) = (try configuration.makeModel(), try configuration.makeModel())
      let rows = model.encode(input, exiting: true)
      let term = ExitTraining(Classification())(rows, of: model, batch, count: 8)
      term.loss.backward()

      let encoded = twin.encode(input, exiting: true)
      let last = twin.logits(encoded)
      let whole = crossEntropy(last, labels: batch.labels)
      var expected = 0.4 * Double(whole.scalar)
      for (place, logits) in encoded.exitLogits.enumerated() {
        let labels = Double(crossEntropy(logits, labels: batch.labels).scalar)
        let teacher = Double(divergence(logits, from: last, temperature: 3).scalar)
        expected += Double(place + 1) / 10 * (labels + teacher) / 2
      }
      #expect(abs(Double(term.loss.scalar) - expected) < 1e-5)
      #expect(term.correct == countRight(last.values, batch.labels))

      whole.backward()
      let name = "head.output.weight"
      let found = try #require(model.parameters[name])
      let plain = try #require(twin.parameters[name])
      for (a, b) in zip(
        model.parameters.values.gradient(found.range), twin.parameters.values.gradient(plain.range))
      { #expect(abs(a - 0.4 * b) < 1e-6) }
      let exit = try #require(model.parameters["exits.0.head.output.weight"])
      #expect(model.parameters.values.gradient(exit.range).contains { $0 != 0 })
    }
  }

  private func countRight(_ logits: [Float], _ labels: [Int32]) -> Int {
    let classes = logits.count / labels.count
    return labels.indices.count { place in
      let row = logits[place * classes..<(place + 1) * classes]
      return row.firstIndex(of: row.max() ?? 0) == place * classes + Int(labels[place])
    }
  }

  @Test("A run's result is the whole model's, its best checkpoint that of all exits together")
  func whole() throws {
    try withTemporaryFolder { folder in
      let run = try run(folder)
      let result = try run.train()
      #expect(result.changed?.contains("train.exits") == true && !result.comparable)
      #expect(run.console.messages.contains { $0.contains("of the exits before") })
      let task = run.configuration.task
      let saved = try SavedModel(run.path, choice: .best, dataFolder: "\(folder)/data")
      let evaluator = Evaluator(saved.model, task, batch: 7)
      #expect(try evaluator.run(task.examples(.test)) == result.testBest)

      let answers = try #require(try evaluator.exits(task.examples(.val)))
      let accuracies = answers.evaluations.map(\.accuracy)
      let score = zip([0.1, 0.2, 0.3, 0.4], accuracies).reduce(0) { $0 + $1.0 * $1.1 }
      let state = try SnakeCaseJSON.decoded(
        TrainingState.self, from: Data(readFile(run.file("checkpoints/best/trainer_state.json"))))
      #expect(abs((state.bestAccuracy ?? 0) - score) < 1e-9)
      #expect(state.validation?.accuracy == accuracies[3])
    }
  }

  @Test("What leaving would do is what it does, and the mean depth is that of the answers")
  func outcome() throws {
    try withTemporaryFolder { folder in
      let run = try run(folder)
      try run.train()
      let task = run.configuration.task
      let saved = try SavedModel(run.path, choice: .last, dataFolder: "\(folder)/data")
      let evaluator = Evaluator(saved.model, task, batch: 7)
      let source = try task.examples(.val)
      let answers = try #require(try evaluator.exits(source))
      let sorted = answers.predictions[1].map(\.confidence).sorted()
      let between = { (place: Int) in (sorted[place] + sorted[place + 1]) / 2 }
      for confidence in [0, between(10), between(40), 2] {
        var predictions: [Prediction] = []
        let result = try #require(
          try evaluator.run(source, leavingAt: confidence, visit: { predictions.append($0) }))
        let foretold = answers.outcome(leavingAt: confidence)
        #expect(result.correct == foretold.evaluation.correct)
        #expect(abs(result.loss - foretold.evaluation.loss) < 1e-5)
        let depth = predictions.reduce(0) { $0 + ($1.blocks ?? 0) }
        #expect(Double(depth) / 50 == foretold.meanBlocks)
        if confidence == 0 { #expect(depth == 50) }
        if confidence == 2 { #expect(try result == evaluator.run(source) && depth == 200) }
      }
    }
  }

  /// The result of a compressed run, which is let go of.
  private func result(
    of compression: Compression, _ outcome: Compression.Outcome, in path: String
  ) throws -> RunResult? {
    let (folder, configuration) = try compression.write(
      outcome, to: path, steps: 0, assignments: [])
    #expect(configuration.exits.leaving == 0.1)
    let run = try TrainingRun(
      configuration, folder: folder, resuming: true, timeLimit: nil, console: SilentConsole())
    guard case .finished(let result) = try run.run() else { return nil }
    return result
  }

  @Test("A confidence for a stated loss is chosen on validation, and is that of the smaller run")
  func chosen() throws {
    try withTemporaryFolder { folder in
      let run = try run(folder)
      try run.train()
      let data = "\(folder)/data"
      var compression = try Compression(run.path, choice: .last, dataFolder: data)
      compression.exits = try ExitRule("loss=99%")
      let outcome = try compression.outcome()
      #expect(outcome.notes.numbers.contains("exits loss=0.99 confidence=0.1 of val"))
      let small = try #require(try result(of: compression, outcome, in: "\(folder)/small"))
      let task = run.configuration.task
      let evaluator = Evaluator(compression.source.model, task, batch: 5)
      let found = try evaluator.run(task.examples(.test), leavingAt: 0.1)
      #expect(found?.correct == small.testLast.correct)

      var again = try Compression("\(folder)/small", choice: .last, dataFolder: data)
      again.quantisation = .int8
      #expect(userError { try again.check() }?.problem.contains("chosen last") == true)
      var without = try Compression(
        "\(folder)/whole/run", choice: .last, dataFolder: "\(folder)/whole/data")
      without.exits = .confidence(0.9)
      #expect(userError { try without.check() }?.problem.contains("has no exits") == true)
    }
    for text in ["0", "1.1", "loss=100%", "loss=-1", "loss=", "x", "95%"] {
      #expect(
        userError { _ = try ExitRule(text) }?.remedy.contains("--exits 0.95") == true, "\(text)")
    }
    #expect(try ExitRule("loss=0") == .loss(0) && ExitRule("1") == .confidence(1))
  }

  @Test("Killed and resumed, it ends with the same bytes; parts of a batch add up to the whole")
  func resumed() throws {
    try withTemporaryFolder { folder in
      let run = try run(folder)
      try run.train()
      let bytes = run.bytes()
      try run.goBack(to: 4)
      try run.resume()
      #expect(run.bytes() == bytes)

      let losses = try [1, 4].map { parts in
        let configuration = try tinyConfiguration(
          folder, model: "linear", Self.mixed + ["train.accumulation=\(parts)"])
        let trainer = Trainer(
          try configuration.makeModel(), configuration.training,
          objective: ExitTraining(Classification()))
        return try (1...3).map {
          try trainer.step($0, tinyBatch(configuration, step: $0)).loss
        }
      }
      for (a, b) in zip(losses[0], losses[1]) { #expect(abs(a - b) < 1e-5) }
    }
  }

  @Test(
    "With a teacher, tied blocks, blocks left out or computed again, weights removed, and bytes",
    arguments: [
      ["train.teacher=whole/run"], ["model.tie-layers=all"], ["train.layer-drop=0.3"],
      ["train.checkpoint=2"], ["train.saved=bf16"], ["train.prune=magnitude"],
      ["train.quantise=int8"],
      ["model.pooling=cls", "train.label-smoothing=0.1"],
    ])
  func combined(changes: [String]) throws {
    try withTemporaryFolder { folder in
      let run = try run(folder, changes.map { $0.replacing("whole", with: "\(folder)/whole") })
      #expect(try run.train().steps == 12)
    }
  }

  @Test("What exits do not go with is refused with the reason")
  func refused() throws {
    let refusal = { (changes: [String]) in
      userError {
        var request = RunConfiguration.Request(
          task: "listops", model: "linear", dataFolder: "data")
        request.assignments = (["train.exits=mixed"] + changes).map { ($0, "--set") }
        _ = try RunConfiguration(request)
      }?.problem ?? ""
    }
    #expect(refusal([]).contains("2 blocks"))
    #expect(
      refusal(["model.layers=4", "train.objective=masked"]).contains("train.objective learns"))
    #expect(
      refusal(["model.layers=4", "train.pretrain-epochs=1"]).contains("train.pretrain-epochs"))
    #expect(refusal(["train.exits=some"]).contains("train.exits"))
    try withTemporaryFolder { folder in
      let fresh = try ResumableRun("\(folder)/fresh", Self.mixed)
      #expect(userError { try fresh.train() }?.problem.contains("no train.initial") == true)
      #expect(!exists(fresh.path))
      let run = try run(folder)
      try run.train()
      var compression = try Compression(run.path, choice: .best, dataFolder: "\(folder)/data")
      compression.pruning.layers = [1]
      #expect(userError { try compression.check() }?.problem.contains("has exits") == true)
    }
  }
}
