// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs
import Tasks
import Testing
import Training

/// Runs that go on after something happened to their folder.
@Suite("Runs that are resumed")
struct ResumeTests {
  @Test(
    "Wherever a process was killed among the links, the best checkpoint is the state's again",
    arguments: [nil, 4, 8, 12] as [Int?])
  func links(wrong: Int?) throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder)
      let result = try run.train()
      let (best, bytes) = (try #require(run.target("best")), run.bytes())
      try run.remove(run.file("result.json"))
      try run.remove(run.file("checkpoints/best"))
      if let wrong, wrong != result.bestStep {
        let copy = run.checkpoint(wrong)
        if !exists(copy) {
          try FileManager.default.copyItem(atPath: run.file("checkpoints/\(best)"), toPath: copy)
        }
        try FileManager.default.createSymbolicLink(
          atPath: run.file("checkpoints/best"),
          withDestinationPath: URL(fileURLWithPath: copy).lastPathComponent)
      }
      // Reading does not take the last weights for the best either.
      let read = try RunFolder.open(run.path).loadCheckpoint(.best).checkpoint
      #expect(read.step == result.bestStep)
      let again = try run.resume()
      #expect(again.bestStep == result.bestStep)
      #expect(again.testBest == result.testBest)
      #expect(run.target("best") == best)
      #expect(run.bytes() == bytes)
    }
  }

  @Test("A link that the disk does not show is not one that is absent")
  func unreadableLink() throws {
    try withTemporaryFolder { folder in
      let none = try FileSystem.link("\(folder)/none")
      #expect(none == .absent)
      let name = String(repeating: "x", count: 300)
      #expect(userError { _ = try FileSystem.link("\(folder)/\(name)") }?.kind == .missingInput)
      #expect(!FileSystem.isMissing("\(folder)/\(name)"))
    }
  }

  @Test("A best checkpoint that is lost is noticed at once; the run goes on without it on request")
  func lostBest() throws {
    try withTemporaryFolder { folder in
      // Nothing is learned: all evaluations are alike, and the first is the best.
      let run = try ResumableRun(
        folder, ["train.steps=16", "train.checkpoint-every=2", "train.learning-rate=1e-30"])
      try run.train()
      try run.remove(run.file("result.json"))
      let best = try #require(run.target("best"))
      let weights = run.file("checkpoints/\(best)/model.safetensors")
      truncate(weights, 100)
      let error = userError { try run.resume() }
      #expect(run.target("last") != best)
      #expect(error?.kind == .badData)
      #expect(error?.problem.contains("\(best), the best checkpoint, cannot be used") == true)
      #expect(error?.remedy.contains("--forget-best") == true)
      let result = try run.resume(forgetsBest: true)
      #expect(result.bestFrom == 16 && result.bestStep == 16)
      #expect(result.testBest == result.testLast)
      #expect(result.summary(folder: "x").contains("the best is that from step 16 on"))
      #expect(result.summary(folder: "x").contains("\nval accuracy      best "))
      #expect(run.console.messages.contains { $0.contains("the best is chosen from step 16 on") })
    }
  }

  @Test("A changed setting is refused by its name and both values")
  func changedSetting() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder)
      try run.train()
      try run.goBack(to: 8)
      let file = run.file("config.json")
      let text = try #require(contents(file))
      // One digit.
      try text.replacingOccurrences(of: "\"batch\" : 8", with: "\"batch\" : 9")
        .write(toFile: file, atomically: true, encoding: .utf8)
      let error = userError { try run.resume() }
      #expect(error?.kind == .badData)
      #expect(
        error?.problem.contains("train.batch is 9, but the run has been trained with 8") == true)
      // Laid out in another way it is the same.
      let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
      try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: file))
      #expect(try run.resume().steps == 12)
    }
  }

  @Test("The curve goes on in the middle of a record's steps, with the same numbers, each once")
  func curve() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(
        folder, ["train.log-every=5", "train.checkpoint-every=4", "train.eval-every=4"])
      try run.train()
      let (curve, bytes) = (try run.curve(), run.bytes())
      #expect(curve.contains { $0.contains("test_best/loss") && $0.contains("test_last/loss") })
      try run.goBack(to: 8)
      try run.resume()
      #expect(try run.curve() == curve)
      #expect(run.bytes() == bytes)
      // Killed behind the test's record.
      try run.remove(run.file("result.json"))
      try run.resume()
      #expect(try run.curve() == curve)
    }
  }

  @Test("A copy that was made by following links goes on")
  func followedLinks() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder, ["train.checkpoint-every=2", "train.eval-every=12"])
      try run.train()
      let bytes = run.bytes()
      try run.goBack(to: 10)
      try FileManager.default.removeItem(atPath: run.file("checkpoints/best"))
      try FileManager.default.removeItem(atPath: run.file("checkpoints/last"))
      try FileManager.default.createSymbolicLink(
        atPath: run.file("checkpoints/last"), withDestinationPath: "step-00000010")
      try FileManager.default.removeItem(atPath: run.file("model.safetensors"))
      let copy = "\(folder)/copy"
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/cp")
      process.arguments = ["-rL", run.path, copy]
      try process.run()
      process.waitUntilExit()
      try FileManager.default.removeItem(atPath: "\(copy)/checkpoints/step-00000010")
      #expect(try RunFolder.open(copy).loadCheckpoint(.last).checkpoint.step == 10)
      try run.resume(at: copy)
      #expect(run.bytes(at: copy) == bytes)
      let kinds = try ["last", "previous", "best"].map {
        try FileManager.default.attributesOfItem(atPath: "\(copy)/checkpoints/\($0)")[.type]
          as? FileAttributeType
      }
      #expect(kinds == [.typeSymbolicLink, .typeSymbolicLink, .typeSymbolicLink])
    }
  }

  @Test("A run that was killed before its first checkpoint begins again")
  func noCheckpoint() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder)
      try run.train()
      let (bytes, curve) = (run.bytes(), try run.curve())
      try run.remove(run.file("result.json"))
      try run.remove(run.file("checkpoints"))
      try run.resume()
      #expect(run.bytes() == bytes)
      #expect(try run.curve() == curve)
      #expect(run.console.messages.contains { $0.contains("no checkpoint yet") })
    }
  }

  @Test("The result says which validation and which test is whose")
  func whoseValidation() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder)
      let result = try run.train()
      let records = try MetricsLog.records(at: run.file("metrics.jsonl"))
      let loss = { (step: Int?) -> Double? in
        records.first { $0.step == step && $0.values["eval/loss"] != nil }?.values["eval/loss"]
      }
      #expect(result.validationLast?.loss == loss(12))
      #expect(result.validationBest?.loss == loss(result.bestStep))
      let test = try #require(records.first { $0.values["test/loss"] != nil })
      #expect(test.values["test_best/loss"] == result.testBest.loss)
      #expect(test.values["test_last/loss"] == result.testLast.loss)
      #expect(test.values["test/weights_step"].map { Int($0) } == result.bestStep)
      // A result as older versions wrote it.
      let text = try #require(contents(run.file("result.json")))
        .replacingOccurrences(of: "validation_best", with: "unknown")
        .replacingOccurrences(of: "validation_last", with: "validation")
      let old = try SnakeCaseJSON.decoded(RunResult.self, from: text.utf8)
      #expect(old.validation == result.validationLast && old.validationBest == nil)
    }
  }

  @Test(
    "A time limit that leaves room for all steps changes no weight, running statistics included")
  func timed() throws {
    try withTemporaryFolder { folder in
      let runs = try ["a", "b"].map {
        try ResumableRun(
          "\(folder)/\($0)", ["model.norm=batch", "model.feed-forward=0"], model: "fnet")
      }
      #expect(runs[0].bytes() == [nil, nil, nil])
      try runs[0].train()
      try runs[1].train(timeLimit: 10_000)
      #expect(runs[0].bytes() == runs[1].bytes())
    }
  }
}
