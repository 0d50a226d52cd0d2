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

/// Models that learn from inputs alone.
@Suite("Self-pretraining")
struct SelfPretrainingTests {
  private static let masked = ["train.objective=masked", "train.mask-share=0.3"]
  private static let still = ["model.dropout=0", "model.attention-dropout=0"]

  /// A model with its objective, and the batch of a step.
  private func parts(
    _ folder: String, _ changes: [String], model: String = "linear"
  ) throws -> (RunConfiguration, Classifier, SelfPretraining, Batch) {
    let configuration = try tinyConfiguration(folder, model: model, changes)
    let model = try configuration.makeModel()
    let objective = try SelfPretraining(configuration, model)
    return (configuration, model, objective, try tinyBatch(configuration, step: 1))
  }

  /// The loss of a batch as step 1 sees it.
  private func loss(
    _ model: Classifier, _ objective: SelfPretraining, _ batch: Batch, hiding shown: Batch? = nil
  ) -> ObjectiveTerm {
    let input = shown ?? objective.input(batch, step: 1)
    let rows = model.encode(
      PackedTokens(tokens: input.tokens, offsets: input.offsets, capacity: 40))
    return objective(rows, of: model, batch, count: objective.count(batch, step: 1))
  }

  @Test("A token is hidden by seed, step, example and place, whoever its batch mates are")
  func hidden() throws {
    try withTemporaryFolder { folder in
      let (_, _, objective, batch) = try parts(folder, Self.masked)
      let input = objective.input(batch, step: 1)
      let places = batch.tokens.indices.filter { input.tokens[$0] == 0 }
      let share = Double(places.count) / Double(batch.tokens.count)
      #expect(objective.count(batch, step: 1) == places.count && abs(share - 0.3) < 0.1)
      for place in batch.tokens.indices where input.tokens[place] != 0 {
        #expect(input.tokens[place] == batch.tokens[place])
      }
      let part = BatchPart(batch, 3..<6, towers: 1).batch
      #expect(
        objective.input(part, step: 1).tokens
          == Array(input.tokens[batch.offsets[3]..<batch.offsets[6]]))
      #expect(objective.input(batch, step: 1) == input)
      #expect(objective.input(batch, step: 2) != input)
      let (_, _, other, _) = try parts(folder, Self.masked + ["train.seed=1"])
      #expect(other.input(batch, step: 1) != input)
    }
  }

  @Test("Only what is hidden counts")
  func chosen() throws {
    try withTemporaryFolder { folder in
      let (_, model, objective, batch) = try parts(folder, Self.masked)
      let input = objective.input(batch, step: 1)
      let before = loss(model, objective, batch).loss.scalar
      var changed = batch
      for place in batch.tokens.indices where input.tokens[place] != 0 {
        changed.tokens[place] = batch.tokens[place] % 16 + 1
      }
      #expect(loss(model, objective, changed, hiding: input).loss.scalar == before)
      let place = try #require(input.tokens.firstIndex(of: 0))
      changed.tokens[place] = batch.tokens[place] % 16 + 1
      #expect(loss(model, objective, changed, hiding: input).loss.scalar != before)
    }
  }

  @Test(
    "The gradient is the loss's slope",
    arguments: [
      ("linear", ["train.objective=masked"]),
      ("linear", ["train.objective=masked", "model.input=numbers", "model.pooling=cls"]),
      ("lru", ["train.objective=causal", "model.states=8", "model.feed-forward=0"]),
    ])
  func slope(model name: String, changes: [String]) throws {
    try withTemporaryFolder { folder in
      let (_, model, objective, batch) = try parts(folder, changes, model: name)
      loss(model, objective, batch).loss.backward()
      model.parameters.values.completeGradients()
      let chosen = model.parameters.all.filter {
        $0.isCompanion || $0.name.hasPrefix("embedding") || $0.name.contains("blocks.0.mixer")
      }
      #expect(chosen.contains { $0.name == "objective.decoder.weight" })
      for parameter in chosen where parameter.name != "embedding.cls" {
        expectSlope(of: parameter, in: model, step: 1e-3, tolerance: (0.02, 1e-3)) {
          Double(loss(model, objective, batch).loss.scalar)
        }
      }
    }
  }

  @Test("Parts of a batch add up, and of several shards to the bit")
  func accumulated() throws {
    try withTemporaryFolder { folder in
      let report = { (changes: String...) in
        let (configuration, model, objective, batch) = try parts(
          folder, Self.masked + ["train.mask-share=0.02"] + changes)
        let trainer = Trainer(model, configuration.training, objective: objective)
        let report = try trainer.step(1, batch)
        return (report, model.weights().serialized())
      }
      let whole = try report().0
      let cut = try report("train.accumulation=8").0
      #expect(abs(whole.loss - cut.loss) < 1e-5 && whole.correct == cut.correct)
      #expect(abs(whole.gradientNorm - cut.gradientNorm) < 1e-4 * whole.gradientNorm)
      let shards = try [1, 4].map { try report("train.shards=4", "train.accumulation=\($0)").1 }
      #expect(shards[0] == shards[1])
    }
  }

  @Test("A model can learn what stands in a few sequences")
  func overfit() throws {
    try withTemporaryFolder { folder in
      let (configuration, model, objective, batch) = try parts(
        folder,
        Self.still + [
          "train.objective=masked", "train.mask-share=0.1", "train.learning-rate=1e-2",
          "task.length=20", "model.width=64", "model.feed-forward=128",
        ], model: "transformer")
      let trainer = Trainer(model, configuration.training, objective: objective)
      var last = try trainer.step(1, batch)
      for _ in 2...150 { last = try trainer.step(1, batch) }
      #expect(Double(last.correct) >= 0.99 * Double(objective.count(batch, step: 1)))
    }
  }

  @Test("A causal and a masked objective train one causal model; models that see ahead are refused")
  func causal() throws {
    try withTemporaryFolder { folder in
      let lru = ["model.states=8", "model.feed-forward=0"]
      for objective in ["causal", "masked"] {
        let (configuration, model, objective, batch) = try parts(
          folder, lru + ["train.objective=\(objective)"], model: "lru")
        let trainer = Trainer(model, configuration.training, objective: objective)
        let losses = try (1...5).map { _ in try trainer.step(1, batch).loss }
        #expect(losses[4] < losses[0])
      }
      for entry in VariantCatalog.all {
        let own = VariantCase.of(entry)
        let settings = own.options.map { "model.\($0)=\($1)" }
        let error = userError {
          _ = try parts(
            folder,
            settings + ["train.objective=causal"]
              + (own.hasFeedForward ? [] : ["model.feed-forward=0"]), model: entry.name)
        }
        #expect(error?.problem.contains("see the tokens behind") == true, "\(entry.name)")
      }
    }
  }

  @Test("No causal objective learns from what it is to predict")
  func noLeak() throws {
    try withTemporaryFolder { folder in
      let (_, model, _, batch) = try parts(
        folder, ["train.objective=causal", "model.states=8", "model.feed-forward=0"], model: "lru")
      let rows = { (batch: Batch) in
        model.encode(PackedTokens(tokens: batch.tokens, offsets: batch.offsets, capacity: 40))
          .rows.values
      }
      var changed = batch
      let last = batch.offsets[1] - 1
      changed.tokens[last] = batch.tokens[last] % 16 + 1
      let width = model.configuration.width
      #expect(
        Array(rows(batch)[..<(last * width)]) == Array(rows(changed)[..<(last * width)]))
    }
  }

  private func pretrained(_ run: ResumableRun, resuming: Bool = false) throws -> PretrainingResult {
    let ending = try TrainingRun(
      run.configuration,
      folder: resuming ? RunFolder.resume(run.path) : RunFolder.create(run.path),
      resuming: resuming, timeLimit: nil, console: run.console
    ).run()
    guard case .pretrained(let result) = ending else { throw CancellationError() }
    return result
  }

  @Test("A run on inputs alone reports tokens, is never tested, and resumes to the same bytes")
  func run() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder, Self.masked)
      let result = try pretrained(run)
      #expect(result.objective == "masked" && result.steps == 12)
      #expect((result.validationBest?.count ?? 0) > 100 && result.majorityShare > 1 / 17)
      #expect(!exists(run.file("result.json")) && !exists(run.file("predictions-test-best.jsonl")))
      #expect(try RunFolder.open(run.path).isFinished)
      let names = try SafeTensors(contentsOf: run.file("model.safetensors")).entries.map(\.name)
      #expect(Set(names) == Set(try run.configuration.makeModel().parameters.all.map(\.name)))
      let bytes = run.bytes()
      for later in 9...12 { try? run.remove(run.checkpoint(later)) }
      try run.remove(run.file("pretraining.json"))
      _ = try pretrained(run, resuming: true)
      #expect(run.bytes() == bytes)
    }
  }

  @Test("What was pretrained says so, and so does what starts from that; other runs do not")
  func labelled() throws {
    try withTemporaryFolder { folder in
      let first = try ResumableRun("\(folder)/a", Self.masked)
      _ = try pretrained(first)
      let second = try ResumableRun("\(folder)/b", ["train.initial=\(first.path)"])
      #expect(try second.train().pretraining == "masked")
      let third = try ResumableRun("\(folder)/c", ["train.initial=\(second.path)"])
      #expect(try third.train().pretraining == "masked")
      let file = second.file("checkpoints/last/model.safetensors")
      let fourth = try ResumableRun("\(folder)/d", ["train.initial=\(file)"])
      #expect(try fourth.train().pretraining == "masked")
      #expect(try ResumableRun("\(folder)/e").train().pretraining == nil)
    }
  }

  @Test("One command pretrains and trains; killed in either, it ends with the same bytes")
  func oneCommand() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(
        folder, ["train.pretrain-epochs=1", "task.train-count=80", "train.mask-share=0.3"])
      let result = try run.train()
      #expect(result.pretraining == "masked" && result.steps == 12)
      let first = run.file("pretraining")
      let own = try #require(try RunFolder.open(first).pretrainingResult)
      #expect(own.steps == 10)
      let bytes = run.bytes()
      let initial = try SnakeCaseJSON.decoded(
        InitialWeights.self, from: Data(readFile(run.file("initial.json"))))
      #expect(initial.left.isEmpty && initial.pretraining == "masked")

      try run.goBack(to: 8)
      try run.resume()
      #expect(run.bytes() == bytes)

      for name in ["checkpoints", "result.json", "initial.json", "pretraining/pretraining.json"] {
        try run.remove(run.file(name))
      }
      for step in 9...10 {
        try? run.remove("\(first)/checkpoints/step-000000\(step < 10 ? "0" : "")\(step)")
      }
      try run.resume()
      #expect(run.bytes() == bytes)
    }
  }

  @Test("What does not go together is refused")
  func refused() throws {
    let refusal = { (changes: String...) in
      userError {
        var request = RunConfiguration.Request(
          task: "listops", model: "linear", dataFolder: "data")
        request.assignments = changes.map { ("train.\($0)", "--set") }
        _ = try RunConfiguration(request)
      }?.problem ?? ""
    }
    #expect(refusal("objective=masked", "mask-share=0").contains("mask-share"))
    #expect(refusal("mask-share=0.3").contains("no effect"))
    #expect(refusal("objective=causal", "mask-share=0.3").contains("no effect"))
    #expect(refusal("objective=masked", "teacher=runs/x").contains("train.teacher"))
    #expect(refusal("objective=masked", "label-smoothing=0.1").contains("no effect"))
    #expect(
      userError {
        try withTemporaryFolder { folder in
          _ = try ResumableRun(folder, ["train.pretrain-epochs=1"]).train(timeLimit: 100)
        }
      }?.problem.contains("--time-limit") == true)
  }

  @Test("Every model learns of hidden tokens", arguments: VariantCatalog.all)
  func variants(entry: VariantEntry) throws {
    try withTemporaryFolder { folder in
      let own = VariantCase.of(entry)
      let settings = own.options.map { "model.\($0)=\($1)" }
      let (configuration, model, objective, batch) = try parts(
        folder,
        settings + ["train.objective=masked"]
          + (own.hasFeedForward ? [] : ["model.feed-forward=0"]),
        model: entry.name)
      let trainer = Trainer(model, configuration.training, objective: objective)
      let losses = try (1...6).map { _ in try trainer.step(1, batch).loss }
      #expect(losses.allSatisfy { $0.isFinite } && losses[5] < losses[0], "\(losses)")
    }
  }
}
