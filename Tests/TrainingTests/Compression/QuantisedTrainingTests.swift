// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Runs
import Tasks
import Testing
import Training

/// Trainings of a model that is to become one of bytes.
@Suite("Training for bytes")
struct QuantisedTrainingTests {
  private static let bytes = ["train.quantise=int8"]

  @Test(
    "From a trained run, it ends with the answers of the model of bytes, which is not comparable")
  func answers() throws {
    try withTemporaryFolder { folder in
      let plain = try ResumableRun(folder)
      try plain.train()
      let run = try ResumableRun("\(folder)/next", Self.bytes + ["train.initial=\(plain.path)"])
      let result = try run.train()
      #expect(result.changed?.contains("train.quantise") == true && !result.comparable)
      let note = try SnakeCaseJSON.decoded(
        InitialWeights.self, from: Data(readFile(run.file("initial.json"))))
      #expect(note.left.isEmpty)
      // The file holds floats, which are trained on.
      let file = try SafeTensors(contentsOf: run.file("model.safetensors"))
      #expect(file.metadata == ["format": "pt"])
      #expect(file["embedding.token"]?.kind == .f32)

      let data = "\(folder)/next/data"
      var compression = try Compression(run.path, choice: .best, dataFolder: data)
      compression.quantisation = .int8
      let small = try compression.outcome().model
      for (split, expected) in [(Split.val, result.validationBest), (.test, result.testBest)] {
        let found = try Evaluator(small, run.configuration.task, batch: 5)
          .run(run.configuration.task.examples(split))
        #expect(found?.correct == expected?.correct)
        #expect(abs((found?.loss ?? 0) - (expected?.loss ?? 9)) < 1e-6)
      }
      #expect(
        try compression.write(
          compression.outcome(), to: "\(folder)/small", steps: 0, assignments: []
        )
        .1.quantisation.quantise == .none)
    }
  }

  @Test("Killed and resumed, it ends with the same bytes, which are not those of plain training")
  func resumed() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder, Self.bytes)
      try run.train()
      let bytes = run.bytes()
      try run.goBack(to: 4)
      try run.resume()
      #expect(run.bytes() == bytes)
      let plain = try ResumableRun("\(folder)/plain")
      try plain.train()
      #expect(plain.bytes()[0] != bytes[0])
    }
  }

  @Test(
    "With parts of a batch, blocks computed again, left out or tied, weights removed, and a teacher",
    arguments: [
      ["train.accumulation=2"], ["train.checkpoint=1"], ["train.saved=bf16"],
      ["train.layer-drop=0.3"],
      ["model.tie-layers=all"], ["train.prune=magnitude"], ["train.precision=fp32"],
      ["model.ranks=blocks.0.feed-forward.inner=2"], ["train.pretrain-epochs=1"],
    ])
  func combined(changes: [String]) throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder, Self.bytes + changes)
      #expect(try run.train().steps == 12)
      let next = try ResumableRun("\(folder)/next", Self.bytes + ["train.teacher=\(run.path)"])
      #expect(try next.train().steps == 12)
    }
  }

  @Test("What bytes do not go with is refused with the reason")
  func refused() throws {
    let refusal = { (model: String, changes: [String]) in
      userError {
        var request = RunConfiguration.Request(task: "listops", model: model, dataFolder: "data")
        request.assignments = (Self.bytes + changes).map { ($0, "--set") }
        _ = try RunConfiguration(request)
      }?.problem ?? ""
    }
    #expect(refusal("reformer", ["model.reversible=true"]).contains("inputs back from outputs"))
    #expect(refusal("linear", ["train.objective=masked"]).contains("rounded last of all"))
    #expect(refusal("linear", ["train.precision=bf16"]).contains("no effect"))
    #expect(refusal("linear", ["train.quantise=int4"]).contains("train.quantise"))
    #expect(refusal("linear", ["model.quantised=int8"]).contains("no gradients"))
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder, Self.bytes)
      try run.train()
      var compression = try Compression(run.path, choice: .best, dataFolder: "\(folder)/data")
      compression.factorising = try Factorising("rank=2", isDataAware: false)
      #expect(userError { try compression.check() }?.problem.contains("trained for bytes") == true)
    }
  }
}
