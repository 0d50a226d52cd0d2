// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("A run knows its data")
struct DataIdentityTests {
  /// A finished run on `data`, and other data in `other`.
  private func withRun(_ body: (TinyTraining) throws -> Void) throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      #expect(try training.run("run", ["--steps", "8"]).status == 0)
      try writeLists(to: "\(folder)/other/listops")
      try body(training)
    }
  }

  /// ListOps in the original's files, which no seed generates.
  private func writeLists(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (split, count) in [("train", 300), ("val", 40), ("test", 40)] {
      let lines = (0..<count).map { "( ( ( [MAX \($0 % 5) ) 3 ) ] )\t\(max($0 % 5, 3))\r\n" }
      try ("Source\tTarget\r\n" + lines.joined()).write(
        toFile: "\(folder)/basic_\(split).tsv", atomically: false, encoding: .utf8)
    }
  }

  @Test("Evaluate finds the run's own data from any folder, and marks others and keeps them apart")
  func evaluate() throws {
    try withRun { training in
      let kept = training.path("run/predictions-test-best.jsonl")
      let before = try Data(contentsOf: URL(fileURLWithPath: kept))
      let own = try CommandRunner.run(
        "/bin/sh",
        ["-c", "cd / && exec \"$0\" evaluate \"$1\" --json", CommandRunner.program]
          + [training.path("run")])
      #expect(own.status == 0, "\(own.errors)")
      let answer = try own.object()
      #expect(answer["data"] as? String == "same")
      #expect(answer["data_hash"] as? String == answer["run_data_hash"] as? String)

      let others = try CommandRunner.lra(
        "evaluate \(training.path("run")) --data \(training.path("other")) --json")
      #expect(others.status == 0, "\(others.errors)")
      #expect(others.errors.contains("warning: other data than the run's"))
      let marked = try others.object()
      #expect(marked["data"] as? String == "other")
      let hash = try #require(marked["data_hash"] as? String)
      #expect(hash != marked["run_data_hash"] as? String)
      #expect(try Data(contentsOf: URL(fileURLWithPath: kept)) == before)
      let apart = training.path("run/predictions-test-best-data-\(hash).jsonl")
      #expect(FileManager.default.fileExists(atPath: apart))
      let told = try CommandRunner.lra(
        "evaluate \(training.path("run")) --data \(training.path("other"))")
      #expect(told.output.contains("OTHER DATA than the run's"))
    }
  }

  @Test("Resume refuses other data, and with --other-data goes on and says so in the result")
  func resume() throws {
    try withRun { training in
      // As a run that was stopped before its end.
      try FileManager.default.removeItem(atPath: training.path("run/result.json"))
      let status = { try String(contentsOfFile: training.path("run/STATUS"), encoding: .utf8) }
      let arguments = "train --resume \(training.path("run")) --data \(training.path("other"))"
      let before = try status()
      let refused = try CommandRunner.lra(arguments)
      #expect(refused.status == 65)
      #expect(refused.errors.contains("the data are not the run's"), "\(refused.errors)")
      #expect(try status() == before)
      let taken = try CommandRunner.lra("\(arguments) --other-data --json")
      #expect(taken.status == 0, "\(taken.errors)")
      let result = try taken.object()
      #expect((result["data_source"] as? String)?.contains("earlier steps on other data") == true)
      #expect(result["comparable"] as? Bool == false)
    }
  }

  @Test("Compare refuses answers to other data than the result's")
  func compare() throws {
    try withRun { training in
      #expect(try training.run("second", ["--steps", "8", "--seed", "1"]).status == 0)
      let runs = "\(training.path("run")) \(training.path("second"))"
      #expect(try CommandRunner.lra("compare \(runs)").output.contains("of 40, p = "))
      let other = training.path("apart.jsonl")
      let evaluated = try CommandRunner.lra(
        "evaluate \(training.path("run")) --data \(training.path("other")) --predictions \(other)")
      #expect(evaluated.status == 0, "\(evaluated.errors)")
      let kept = training.path("second/predictions-test-best.jsonl")
      try Data(contentsOf: URL(fileURLWithPath: other)).write(to: URL(fileURLWithPath: kept))
      let refused = try CommandRunner.lra("compare \(runs)")
      #expect(refused.output.contains("not compared: \(kept) answers other data"))
    }
  }

  @Test("A run from before the note was kept goes by its result's hash")
  func older() throws {
    try withRun { training in
      let run = training.path("older")
      try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
      for name in ["config.json", "result.json", "model.safetensors"] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: training.path("run/\(name)")))
        try bytes.write(to: URL(fileURLWithPath: "\(run)/\(name)"))
      }
      for (data, relation) in [("data", "same"), ("other", "other")] {
        let answer = try CommandRunner.lra(
          "evaluate \(run) --data \(training.path(data)) --json")
        #expect(try answer.object()["data"] as? String == relation, "\(answer.errors)")
      }
    }
  }

  @Test("A training without its data leaves no run folder")
  func noData() throws {
    try withScratchFolder { folder in
      let trained = try CommandRunner.lra(
        "train --task text --model linear --data \(folder)/none --output \(folder)/run")
      #expect(trained.status == 66)
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
    }
  }
}
