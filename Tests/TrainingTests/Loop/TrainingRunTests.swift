// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Runs
import Tasks
import Testing
import Training

@Suite struct TrainingRunTests {
  private func train(
    _ folder: String, into name: String, model: String = "linformer", _ changes: [String] = [],
    timeLimit: Double? = nil
  ) throws -> (ending: TrainingRun.Ending, path: String, messages: [String]) {
    let path = "\(folder)/\(name)"
    let console = SilentConsole()
    let run = try TrainingRun(
      try tinyConfiguration(folder, model: model, changes), folder: try RunFolder.create(path),
      resuming: false, timeLimit: timeLimit, console: console)
    return (try run.run(), path, console.messages)
  }

  private func result(_ ending: TrainingRun.Ending) throws -> RunResult {
    guard case .finished(let result) = ending else {
      throw UserError(.failed, "the run did not finish", remedy: "")
    }
    return result
  }

  @Test(
    "A run leaves its configuration, result, logs and checkpoints",
    arguments: [
      "transformer", "linformer", "linear",
    ])
  func folderContents(model: String) throws {
    try withTemporaryFolder { folder in
      let (ending, path, _) = try train(folder, into: "run", model: model)
      let result = try result(ending)
      #expect(result.steps == 12)
      #expect(result.testLast.count == 50)
      #expect(contents("\(path)/STATUS") == "done\n")
      let expected = [
        "config.json", "env.json", "metrics.jsonl", "result.json", "model.safetensors",
        "checkpoints/last/COMPLETE", "checkpoints/best/model.safetensors",
      ]
      for name in expected { #expect(exists("\(path)/\(name)"), "\(name)") }
      let records = try MetricsLog.records(at: "\(path)/metrics.jsonl")
      #expect(records.contains { $0.step == 10 && $0.values["train/loss"] != nil })
      #expect(records.contains { $0.step == 4 && $0.values["eval/accuracy"] != nil })
    }
  }

  @Test("Saved, loaded and evaluated, a model answers the same to the bit, at any batch size")
  func saveLoadEvaluate() throws {
    try withTemporaryFolder { folder in
      let (ending, path, _) = try train(folder, into: "run")
      let result = try result(ending)
      let saved = try SavedModel(path, choice: .last, dataFolder: "\(folder)/data")
      let source = try saved.configuration.task.examples(.test)
      var answers: [[Prediction]] = []
      for batch in [1, 7, 50] {
        var predictions: [Prediction] = []
        let evaluation = try Evaluator(saved.model, saved.configuration.task, batch: batch)
          .run(source, visit: { predictions.append($0) })
        #expect(evaluation == result.testLast)
        answers.append(predictions)
      }
      #expect(answers[0].map(\.logits) == answers[1].map(\.logits))
      #expect(answers[0].map(\.logits) == answers[2].map(\.logits))
    }
  }

  @Test("A folder with config.json and model.safetensors alone can be evaluated")
  func bareFolder() throws {
    try withTemporaryFolder { folder in
      let (_, path, _) = try train(folder, into: "run")
      let bare = "\(folder)/bare"
      try FileManager.default.createDirectory(atPath: bare, withIntermediateDirectories: true)
      for name in ["config.json", "checkpoints/best/model.safetensors"] {
        let target = "\(bare)/\(URL(filePath: name).lastPathComponent)"
        try FileManager.default.copyItem(atPath: "\(path)/\(name)", toPath: target)
      }
      let original = try SavedModel(path, choice: .best, dataFolder: "\(folder)/data")
      let copy = try SavedModel(bare, choice: .best, dataFolder: "\(folder)/data")
      #expect(copy.model.weights().serialized() == original.model.weights().serialized())
    }
  }

  @Test("A checkpoint of another model is refused, naming the weight")
  func foreignCheckpoint() throws {
    try withTemporaryFolder { folder in
      let (_, path, _) = try train(folder, into: "run", model: "linear")
      let (_, other, _) = try train(folder, into: "other", model: "linformer")
      try FileManager.default.removeItem(atPath: "\(path)/config.json")
      try FileManager.default.copyItem(
        atPath: "\(other)/config.json", toPath: "\(path)/config.json")
      let error = userError {
        _ = try SavedModel(path, choice: .last, dataFolder: "\(folder)/data")
      }
      #expect(error?.kind == .badData)
      #expect(error?.problem.contains("lacks blocks.0.mixer.projection.key") == true)
    }
  }

  @Test("A time limit shortens the schedule and ends with a result")
  func timeLimit() throws {
    try withTemporaryFolder { folder in
      let (ending, path, messages) = try train(
        folder, into: "run", ["train.steps=1000000", "train.eval-every=1000"], timeLimit: 3)
      let result = try result(ending)
      #expect(result.steps > 0 && result.plannedSteps < 1_000_000)
      #expect(messages.contains { $0.contains("the time limit leaves room for") })
      let written = try #require(contents("\(path)/config.json"))
      #expect(written.contains("\"steps\" : \(result.plannedSteps)"))
    }
  }

  @Test("A time limit that the tests alone exceed is refused before anything is trained")
  func impossibleLimit() throws {
    try withTemporaryFolder { folder in
      let error = userError { _ = try train(folder, into: "run", timeLimit: 0.05) }
      #expect(error?.kind == .usage)
      #expect(error?.problem.contains("--time-limit") == true)
      #expect(names(in: "\(folder)/run/checkpoints") == [])
    }
  }

  @Test("A batch that no memory holds is refused")
  func impossibleBatch() throws {
    try withTemporaryFolder { folder in
      let model = try tinyConfiguration(folder).model
      try model.checkMemory(batchTokens: 1000)
      let error = userError { try model.checkMemory(batchTokens: 1e15) }
      #expect(error?.kind == .configuration)
      #expect(error?.problem.contains("this machine has") == true)
    }
  }

  @Test("Zero steps write the fresh checkpoint")
  func zeroSteps() throws {
    try withTemporaryFolder { folder in
      let (ending, path, _) = try train(folder, into: "run", ["train.steps=0", "train.warmup=0"])
      if case .initialized = ending {} else { Issue.record("not the fresh checkpoint") }
      let saved = try SavedModel(path, choice: .last, dataFolder: "\(folder)/data")
      let fresh = try Classifier(saved.configuration.model, seed: 0)
      #expect(saved.model.weights().serialized() == fresh.weights().serialized())
    }
  }

  @Test("Training on short expressions beats the commonest class")
  func learns() throws {
    try withTemporaryFolder { folder in
      let (ending, _, _) = try train(
        folder, into: "run", model: "transformer",
        [
          "task.train-count=4000", "task.test-count=500", "task.val-count=200", "train.batch=32",
          "train.steps=300", "train.eval-every=150", "model.dropout=0",
          "model.attention-dropout=0", "train.learning-rate=3e-3", "train.warmup=30",
        ])
      let result = try result(ending)
      #expect(result.remark == nil, "\(result.test)")
    }
  }
}
