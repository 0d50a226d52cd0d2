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

/// Trainings that remove weights on their way.
@Suite("Pruning while training")
struct PruningTests {
  private static func settings(_ kind: String, _ more: [String] = []) -> [String] {
    [
      "train.prune=\(kind)", "train.prune-share=0.8", "train.prune-start=0.2",
      "train.prune-updates=3",
    ] + more
  }

  @Test("The cubic schedule")
  func schedule() {
    let schedule = PruningSchedule(share: 0.8, steps: 100...200, updates: 10)
    let expected = [
      0, 0.2168, 0.3904, 0.5256, 0.6272, 0.7, 0.7488, 0.7784, 0.7936, 0.7992, 0.8,
    ]
    for (update, share) in expected.enumerated() {
      let found = schedule.share(after: 100 + 10 * update) ?? -1
      #expect(abs(found - share) < 1e-12)
    }
    for step in [1, 99, 101, 109, 201, 300] { #expect(schedule.share(after: step) == nil) }
    #expect(!schedule.isOver(after: 199) && schedule.isOver(after: 200))
    // More updates than steps: the last of a step counts.
    let short = PruningSchedule(share: 0.5, steps: 1...3, updates: 20)
    #expect(short.share(after: 3) == 0.5)
  }

  /// Zeros of each matrix of the blocks, and how many weights are 0 elsewhere.
  private func zeros(_ file: SafeTensors, _ kept: [String: [Bool]]) throws -> [String: Int] {
    try file.entries.reduce(into: [:]) { counts, entry in
      counts[entry.name] = try file.floats(entry.name).count { $0 == 0 }
      if let mask = kept[entry.name] { #expect(counts[entry.name] == mask.count { !$0 }) }
    }
  }

  @Test(
    "In the end each matrix of the blocks lacks its share, and nothing else lacks any",
    arguments: ["magnitude", "movement"])
  func share(kind: String) throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder, Self.settings(kind))
      let result = try run.train()
      // Only evaluations from the last removal on may be the best.
      #expect(result.bestStep.map { $0 >= 8 } == true)
      let path = run.file("checkpoints/last/model.safetensors")
      let packed = try SafeTensors(contentsOf: path)
      let masks = try Bitmask.masks(packed, path: path)
      let names =
        ["query", "key", "value", "output"].map { "mixer.\($0)" }
        + ["inner", "outer"].map { "feed-forward.\($0)" }
      #expect(
        Set(masks.keys) == Set((0..<2).flatMap { b in names.map { "blocks.\(b).\($0).weight" } }))
      for (name, count) in try zeros(Bitmask.expanded(packed, path: path), masks) {
        if let mask = masks[name] {
          #expect(count == mask.count - Int((0.2 * Double(mask.count)).rounded(.up)))
        }
      }
      let moments = try SafeTensors(contentsOf: run.file("checkpoints/last/optimizer.safetensors"))
      #expect(moments["adam.m.blocks.0.mixer.query.weight"] != nil)
      #expect(run.console.messages.contains { $0.contains("80.0 % of the") })
      let whole = try SafeTensors(contentsOf: "\(path)").serialized().count
      let dense = try Bitmask.expanded(packed, path: path).serialized().count
      #expect(whole < dense)

      let saved = try SavedModel(run.path, choice: .last, dataFolder: "\(folder)/data")
      let test = try Evaluator(saved.model, saved.configuration.task, batch: 8)
        .run(saved.configuration.task.examples(.test))
      #expect(test == result.testLast)
    }
  }

  @Test("The smallest go first, and what is gone stays gone")
  func smallest() throws {
    try withTemporaryFolder { folder in
      let configuration = try tinyConfiguration(
        folder, model: "linear", Self.settings("magnitude", ["train.learning-rate=1e-12"]))
      let model = try configuration.makeModel()
      let name = "blocks.1.feed-forward.inner.weight"
      let first = try model.weights().floats(name)
      let trainer = Trainer(
        model, configuration.training, pruning: try GradualPruning(configuration, model))
      var gone: Set<Int> = []
      for step in 1...12 {
        _ = try trainer.step(step, tinyBatch(configuration, step: step))
        let now = try model.weights().floats(name)
        let zeros = Set(now.indices.filter { now[$0] == 0 })
        #expect(zeros.isSuperset(of: gone))
        gone = zeros
      }
      let order = first.indices.sorted { (abs(first[$0]), -$0) < (abs(first[$1]), -$1) }
      #expect(gone == Set(order.prefix(gone.count)))
      #expect(gone.count == first.count - Int((0.2 * Double(first.count)).rounded(.up)))
    }
  }

  @Test("Movement keeps what training moves away from zero, whatever its size")
  func movement() throws {
    try withTemporaryFolder { folder in
      let configuration = try tinyConfiguration(
        folder, model: "linear",
        Self.settings("movement", ["train.learning-rate=1e-12", "model.dropout=0"]))
      let (model, twin) = (try configuration.makeModel(), try configuration.makeModel())
      let batch = try tinyBatch(configuration, step: 1)
      let trainer = Trainer(
        model, configuration.training, pruning: try GradualPruning(configuration, model))
      for step in 1...4 { _ = try trainer.step(step, batch) }
      // Until the first removal, after step 2, nothing is gone: the scores are multiples of -g·w.
      let rows = twin.encode(
        PackedTokens(tokens: batch.tokens, offsets: batch.offsets, capacity: 40))
      Classification()(rows, of: twin, batch, count: batch.labels.count).loss.backward()
      let parameter = try #require(twin.parameters["blocks.0.mixer.value.weight"])
      let gradient = twin.parameters.values.gradient(parameter.range)
      let scores = zip(gradient, parameter.values).map { -$0 * $1 }
      let now = try model.weights().floats(parameter.name)
      let gone = now.indices.filter { now[$0] == 0 }
      let worst = scores.indices.sorted { scores[$0] < scores[$1] }.prefix(gone.count)
      #expect(!gone.isEmpty)
      let shared = Set(gone).intersection(worst).count
      #expect(Double(shared) > 0.95 * Double(gone.count))
    }
  }

  @Test(
    "Killed between removals and resumed, it ends with the same bytes",
    arguments: ["magnitude", "movement"], [4, 8])
  func resumed(kind: String, step: Int) throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder, Self.settings(kind))
      try run.train()
      let bytes = run.bytes()
      try run.goBack(to: step)
      try run.resume()
      #expect(run.bytes() == bytes)
    }
  }

  @Test(
    "Without pruning, files and bytes are as they were; shares and starts that cannot be are refused"
  )
  func refused() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder)
      try run.train()
      let file = try SafeTensors(contentsOf: run.file("model.safetensors"))
      #expect(file.metadata == ["format": "pt"])
    }
    let refusal = { (changes: [String]) in
      userError {
        var request = RunConfiguration.Request(
          task: "listops", model: "linear", dataFolder: "data")
        request.assignments = changes.map { ("train.\($0)", "--set") }
        _ = try RunConfiguration(request)
      }?.problem ?? ""
    }
    #expect(refusal(["prune-share=0.3"]).contains("no effect"))
    #expect(refusal(["prune=magnitude", "prune-score-rate=0.3"]).contains("no effect"))
    #expect(refusal(["prune=magnitude", "prune-start=0.7"]).contains("below train.prune-end"))
    #expect(refusal(["prune=magnitude", "prune-share=1"]).contains("prune-share"))
    #expect(refusal(["prune=some"]).contains("train.prune"))
  }

  @Test("A pruned model is a start and a teacher like any other")
  func source() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder, Self.settings("magnitude"))
      try run.train()
      let next = try ResumableRun(
        "\(folder)/next", ["train.initial=teacher", "train.teacher=\(run.path)"])
      #expect(try next.train().steps == 12)
      let note = try SnakeCaseJSON.decoded(
        InitialWeights.self, from: Data(readFile(next.file("initial.json"))))
      #expect(note.left.isEmpty)
    }
  }

  @Test("Every model is pruned, or says why not", arguments: VariantCatalog.all)
  func variants(entry: VariantEntry) throws {
    try withTemporaryFolder { folder in
      let own = VariantCase.of(entry)
      let configuration = try tinyConfiguration(
        folder, model: entry.name,
        own.options.map { "model.\($0)=\($1)" } + Self.settings("magnitude")
          + (own.hasFeedForward ? [] : ["model.feed-forward=0"]))
      let model = try configuration.makeModel()
      let trainer = Trainer(
        model, configuration.training, pruning: try GradualPruning(configuration, model))
      for step in 1...12 { _ = try trainer.step(step, tinyBatch(configuration, step: step)) }
      let zeros = model.parameters.ofModel.filter { $0.shape.count == 2 }.filter { parameter in
        parameter.values.count { $0 == 0 } > parameter.count / 2
      }.map(\.name)
      #expect(!zeros.isEmpty)
      for name in zeros {
        #expect(name.hasPrefix("blocks.") && name.hasSuffix(".weight"), "\(name)")
        #expect(!["conv", "table", "sort"].contains { name.contains($0) }, "\(name)")
      }
    }
  }
}
