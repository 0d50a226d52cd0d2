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
      let arena = model.parameters.values
      let maps = model.parameters.all.filter(\.isCompanion)
      #expect(maps.map(\.shape) == [[32, 16], [32, 16]])
      let chosen = maps + model.parameters.all.filter { $0.name.contains("blocks.0.mixer") }
      for parameter in chosen {
        let gradient = arena.gradient(parameter.range)
        let norm = euclidean(gradient.map(Double.init))
        #expect(norm > 0, "\(parameter.name)")
        let values = parameter.values
        let moved = [3e-3, -3e-3].map { step in
          arena.fill(
            parameter.range,
            zip(values, gradient).map { $0 + Float(step) * $1 / Float(norm) })
          return Double(loss().scalar)
        }
        arena.fill(parameter.range, values)
        #expect(
          abs((moved[0] - moved[1]) / 6e-3 - norm) < 0.02 * norm + 1e-3, "\(parameter.name)")
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
