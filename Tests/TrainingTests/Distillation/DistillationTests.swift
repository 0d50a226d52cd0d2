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

/// Students of a teacher.
@Suite("Distillation")
struct DistillationTests {
  private static let still = ["model.dropout=0", "model.attention-dropout=0"]

  /// Trains a teacher, or saves its first weights where it takes no step.
  private func teacher(
    _ folder: String, _ changes: [String] = ["train.steps=0"], model: String = "transformer",
    name: String = "teacher"
  ) throws -> String {
    let path = "\(folder)/\(name)"
    _ = try TrainingRun(
      tinyConfiguration(folder, model: model, changes), folder: try RunFolder.create(path),
      resuming: false, timeLimit: nil, console: SilentConsole()
    ).run()
    return path
  }

  private func student(
    _ folder: String, _ teacher: String, _ changes: [String] = [], model: String = "linear"
  ) throws -> ResumableRun {
    try ResumableRun(folder, ["train.teacher=\(teacher)"] + changes, model: model)
  }

  /// A trainer whose teacher answers each batch anew.
  private func live(_ configuration: RunConfiguration) throws -> Trainer {
    let model = try configuration.makeModel()
    let objective = try Distillation(configuration, model)
    return Trainer(model, configuration.training, objective: objective)
  }

  @Test("A copy of the teacher has nothing to learn from it", arguments: ["logits", "outputs"])
  func copy(match: String) throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder, Self.still, model: "linear")
      let configuration = try student(
        folder, teacher,
        Self.still + [
          "train.distill-weight=1", "train.distill-match=\(match)", "train.initial=\(teacher)",
        ]
      ).configuration
      let trainer = try live(configuration)
      try trainer.model.load("\(teacher)/model.safetensors")
      let report = try trainer.step(1, tinyBatch(configuration, step: 1))
      #expect(abs(report.loss) < 1e-7 && report.gradientNorm < 1e-6)
    }
  }

  @Test("With no weight on the teacher's answers, training is plain to the bit")
  func plain() throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder)
      let runs = [
        try ResumableRun("\(folder)/plain", model: "linear"),
        try ResumableRun(
          "\(folder)/none", ["train.teacher=\(teacher)", "train.distill-weight=0"],
          model: "linear"),
      ]
      for run in runs { try run.train() }
      #expect(runs[0].bytes() == runs[1].bytes())
      #expect(!exists(runs[1].file("teacher-answers.safetensors")))
    }
  }

  @Test("Answers that are kept are those that the teacher gives in the step", arguments: [1, 4])
  func kept(shards: Int) throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder, [])
      let run = try student(folder, teacher, ["train.shards=\(shards)"])
      let result = try run.train()
      #expect(!result.comparable && result.changed?.contains("train.teacher") == true)
      let trainer = try live(run.configuration)
      for step in 1...12 { _ = try trainer.step(step, tinyBatch(run.configuration, step: step)) }
      let last = run.file("checkpoints/last/model.safetensors")
      #expect(trainer.model.weights().serialized() == (try readFile(last)))
      let note = try SnakeCaseJSON.decoded(
        Teacher.Note.self, from: Data(readFile(run.file("teacher.json"))))
      #expect(note.source == teacher && note.model == "transformer")
      #expect(
        note.sha256
          == SHA256.hexadecimal(of: try readFile("\(teacher)/checkpoints/best/model.safetensors")))
      #expect(run.console.messages.contains { $0.contains("answers 400 training examples") })
    }
  }

  private static let wide = [
    "train.distill-match=outputs", "model.width=16", "train.distill-match-weight=0.5",
    "model.pooling=cls",
  ]

  @Test("Parts of a batch add up to the whole; of several shards to the bit")
  func parts() throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder)
      let report = { (changes: String...) in
        let configuration = try student(folder, teacher, Self.wide + changes).configuration
        let trainer = try live(configuration)
        let report = try trainer.step(1, tinyBatch(configuration, step: 1))
        return (report, trainer.model.weights().serialized())
      }
      let whole = try report("train.accumulation=1").0
      let four = try report("train.accumulation=4").0
      #expect(abs(whole.loss - four.loss) < 1e-6 * whole.loss)
      #expect(abs(whole.gradientNorm - four.gradientNorm) < 1e-5 * whole.gradientNorm)
      let shards = try [1, 2, 4].map {
        try report("train.shards=4", "train.accumulation=\($0)").1
      }
      #expect(shards[0] == shards[1] && shards[0] == shards[2])
    }
  }

  @Test("The gradient of outputs through a map to another width is the loss's slope")
  func slope() throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder)
      let configuration = try student(
        folder, teacher, Self.still + Self.wide + ["train.distill-weight=0"]
      ).configuration
      let model = try configuration.makeModel()
      let objective = try Distillation(configuration, model)
      let batch = try tinyBatch(configuration, step: 1)
      let loss = {
        let rows = model.encode(
          PackedTokens(tokens: batch.tokens, offsets: batch.offsets, capacity: 40), .evaluation,
          observing: true)
        return objective(rows, of: model, batch, count: batch.labels.count).loss
      }
      loss().backward()
      let maps = model.parameters.all.filter(\.isCompanion)
      #expect(maps.map(\.shape) == [[32, 16], [32, 16]])
      let chosen = maps + model.parameters.all.filter { $0.name.contains("blocks.0.mixer") }
      for parameter in chosen {
        expectSlope(of: parameter, in: model, step: 3e-3, tolerance: (0.02, 1e-3)) {
          Double(loss().scalar)
        }
      }
    }
  }

  @Test("Killed and resumed it ends with the same bytes, maps included, which no model holds")
  func resumed() throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder, [])
      let run = try student(folder, teacher, Self.wide)
      try run.train()
      let maps = { try readFile(run.file("checkpoints/last/objective.safetensors")) }
      let (bytes, expected) = (run.bytes(), try maps())
      let names = try SafeTensors(contentsOf: run.file("model.safetensors")).entries.map(\.name)
      #expect(!names.contains { $0.hasPrefix("objective") })
      #expect(
        try SafeTensors(expected, name: "maps").entries.map(\.name)
          == ["objective.match.0.weight", "objective.match.1.weight"])

      try run.goBack(to: 8)
      try run.resume()
      #expect(run.bytes() == bytes)
      #expect(try maps() == expected)

      // Answers that are damaged are asked for again.
      try run.goBack(to: 8)
      truncate(run.file("teacher-answers.safetensors"), 1000)
      try run.resume()
      #expect(run.bytes() == bytes)

      // Another teacher in the same place is none.
      try run.goBack(to: 8)
      try run.remove(teacher)
      _ = try self.teacher(folder, ["train.seed=9", "train.steps=0"])
      #expect(userError { try run.resume() }?.problem.contains("SHA-256") == true)

      let saved = try SavedModel(run.path, choice: .best, dataFolder: "\(folder)/data")
      #expect(saved.model.parameters.ofModel.count == saved.model.parameters.all.count)
    }
  }

  @Test("The teacher's weights are a student's first where they fit")
  func initial() throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder, [])
      let run = try student(folder, teacher, ["train.initial=teacher", "train.steps=0"])
      _ = try TrainingRun(
        run.configuration, folder: try RunFolder.create(run.path), resuming: false,
        timeLimit: nil, console: run.console
      ).run()
      let note = try SnakeCaseJSON.decoded(
        InitialWeights.self, from: Data(readFile(run.file("initial.json"))))
      #expect(note.source == teacher && note.left.isEmpty)
    }
  }

  @Test("Every model learns from the outputs of another", arguments: VariantCatalog.all)
  func variants(entry: VariantEntry) throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder, ["train.steps=0", "model.width=16"], model: "fnet")
      let own = VariantCase.of(entry)
      let settings = own.options.map { "model.\($0)=\($1)" }
      let configuration = try student(
        folder, teacher,
        Self.still.filter { _ in entry.about.parts.contains(.droppedWeights) } + settings + [
          "train.distill-match=outputs", "train.distill-weight=0", "train.steps=12",
        ] + (own.hasFeedForward ? [] : ["model.feed-forward=0"]),
        model: entry.name
      ).configuration
      let trainer = try live(configuration)
      let batch = try tinyBatch(configuration, step: 1)
      let losses = try (1...4).map { _ in try trainer.step(1, batch).loss }
      #expect(losses.allSatisfy { $0.isFinite } && losses[3] < losses[0], "\(losses)")
    }
  }

  private static let stage = [
    "train.distill-match=outputs", "train.distill-stage-steps=5", "train.eval-every=4",
  ]

  @Test("In the first stage each mixer learns alone, from the teacher's rows")
  func stage() throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder, Self.still)
      let configuration = try student(folder, teacher, Self.still + Self.stage).configuration
      let trainer = try live(configuration)
      let before = trainer.model.weights()
      var losses = try (1...5).map {
        try trainer.step($0, tinyBatch(configuration, step: 1)).loss
      }
      #expect(losses.last ?? 1 < losses[0])
      let after = trainer.model.weights()
      for entry in before.entries {
        let changed = try before.floats(entry.name) != after.floats(entry.name)
        #expect(changed == entry.name.contains(".mixer."), "\(entry.name)")
      }
      // Then all of it, towards labels, answers and outputs.
      losses.append(try trainer.step(6, tinyBatch(configuration, step: 1)).loss)
      #expect(losses[5] > losses[4])
      let last = trainer.model.weights()
      #expect(try last.floats("embedding.token") != after.floats("embedding.token"))

      // A copy has nothing to learn, whatever its other weights are.
      let twin = try student(folder, teacher, Self.still + Self.stage, model: "transformer")
        .configuration
      let copy = try live(twin)
      try copy.model.load("\(teacher)/model.safetensors")
      let tokens = try #require(copy.model.parameters["embedding.token"])
      copy.model.parameters.values.fill(
        tokens.range, [Float](repeating: 1, count: tokens.count))
      #expect(try abs(copy.step(1, tinyBatch(twin, step: 1)).loss) < 1e-7)
    }
  }

  @Test("Killed before the first stage ends, it goes on with the same bytes; parts add up")
  func stageResumed() throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder)
      let run = try student(folder, teacher, Self.stage)
      try run.train()
      let bytes = run.bytes()
      try run.goBack(to: 4)
      try run.resume()
      #expect(run.bytes() == bytes)
      #expect(!run.console.messages.contains { $0.contains("chance") })
      let losses = try [1, 4].map { parts in
        try live(
          student(folder, teacher, Self.still + Self.stage + ["train.accumulation=\(parts)"])
            .configuration
        ).step(1, tinyBatch(run.configuration, step: 1)).loss
      }
      #expect(abs(losses[0] - losses[1]) < 1e-5)
    }
  }

  @Test("The mixers of every model learn alone", arguments: VariantCatalog.all)
  func stageOfVariants(entry: VariantEntry) throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder, ["train.steps=0", "model.layers=4"])
      let own = VariantCase.of(entry)
      let configuration = try student(
        folder, teacher,
        own.options.map { "model.\($0)=\($1)" } + Self.stage
          + (own.hasFeedForward ? [] : ["model.feed-forward=0"]), model: entry.name
      ).configuration
      let trainer = try live(configuration)
      let losses = try (1...6).map {
        try trainer.step($0, tinyBatch(configuration, step: $0)).loss
      }
      #expect(losses.allSatisfy { $0.isFinite && $0 > 0 })
    }
  }

  @Test("A first stage that cannot be is refused with the reason")
  func stageRefused() throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder)
      let refusal = { (changes: [String]) in
        userError { _ = try self.live(self.student(folder, teacher, changes).configuration) }?
          .problem ?? ""
      }
      #expect(refusal(Self.stage + ["model.width=16"]).contains("model.width"))
      #expect(refusal(Self.stage + ["model.pooling=cls"]).contains("model.pooling"))
      #expect(refusal(Self.stage + ["train.steps=5"]).contains("nothing would be learned"))
      #expect(throws: UserError.self) {
        var request = RunConfiguration.Request(
          task: "listops", model: "linear", dataFolder: "data")
        request.assignments = [
          ("train.teacher=\(teacher)", "--set"), ("train.distill-stage-steps=5", "--set"),
        ]
        _ = try RunConfiguration(request)
      }
    }
  }

  @Test("A teacher that cannot teach is refused, and leaves no run")
  func refused() throws {
    try withTemporaryFolder { folder in
      let teacher = try teacher(folder)
      let refusal = { (path: String, changes: [String]) in
        userError {
          let run = try student(folder, path, changes)
          defer { #expect(!exists(run.path)) }
          try run.train()
        }?.problem ?? ""
      }
      #expect(refusal("\(folder)/none", []).contains("no such folder"))
      #expect(refusal("\(teacher)/config.json", []).contains("is a file"))
      #expect(refusal(teacher, ["task.seed=3"]).contains("other data"))
      #expect(refusal(teacher, ["task.length=50"]).contains("up to 40 tokens"))
      let outputs = "train.distill-match=outputs"
      #expect(refusal(teacher, [outputs, "model.layers=4"]).contains("no multiple"))
      #expect(refusal(teacher, [outputs, "train.checkpoint=1"]).contains("train.checkpoint"))
      let reversible = try self.teacher(
        folder, ["train.steps=0", "model.reversible=true", "model.chunk=20"], model: "reformer",
        name: "reversible")
      #expect(refusal(reversible, [outputs]).contains("reversible"))
      #expect(
        userError { _ = try ResumableRun(folder, ["train.initial=teacher"]) }?.problem
          .contains("no train.teacher") == true)

      try withExtendedLifetime(FileLock("\(teacher)/.lock")) {
        #expect(refusal(teacher, []).contains("still being trained"))
      }
      let weights = "\(teacher)/checkpoints/last/model.safetensors"
      truncate(weights, 1000)
      #expect(refusal(teacher, []).contains("no usable checkpoint"))
    }
  }

  @Test("What says how to learn from a teacher is refused without one")
  func idle() throws {
    for change in [
      "distill-weight=0.4", "distill-temperature=3", "distill-match=outputs",
      "distill-match-weight=2",
    ] {
      var request = RunConfiguration.Request(task: "listops", model: "linear", dataFolder: "data")
      request.assignments = [("train.\(change)", "--set")]
      #expect(
        userError { _ = try RunConfiguration(request) }?.problem.contains("no effect") == true)
    }
  }
}
