// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra compare, lra top, lra advise, lra report")
struct CompareTests {
  /// Two finished runs that differ in their seed, in a folder `runs`.
  private func withRuns(_ body: (TinyTraining, String) throws -> Void) throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      #expect(try training.run("runs/a").status == 0)
      #expect(try training.run("runs/b", ["--seed", "1"]).status == 0)
      try body(training, training.path("runs"))
    }
  }

  @Test("Compare shows what differs, the curves and the paired test; top and report find both")
  func both() throws {
    try withRuns { _, runs in
      let compared = try CommandRunner.lra("compare \(runs)/a \(runs)/b")
      #expect(compared.status == 0, "\(compared.errors)")
      #expect(compared.lines.contains { $0.hasPrefix("train.seed") })
      #expect(!compared.output.contains("train.batch"))
      #expect(compared.output.contains("of 40, p = "))
      #expect(compared.output.contains("*  a"))
      let object = try CommandRunner.lra("compare \(runs)/a \(runs)/b --json").object()
      #expect((object["pairs"] as? [Any])?.count == 1)
      let curves = try #require(object["curves"] as? [[String: Any]])
      let points = try #require(curves.last?["validation"] as? [[String: Any]])
      #expect(points.last?["step"] as? Int == 60)

      let top = try CommandRunner.lra("top \(runs) --once")
      #expect(top.lines.first == "\(runs): 2 done")
      #expect(top.lines.contains { $0.hasPrefix("b ") && $0.contains("60/60") })

      let report = try CommandRunner.lra("report \(runs) --output \(runs)/report")
      #expect(report.status == 0)
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(runs)/report")
      for name in ["index.html", "tables.md", "results.json", "runs.csv"] {
        #expect(names.contains(name), "\(name)")
      }

      let advice = try CommandRunner.lra(
        "advise --task listops --length 60 --folder \(runs) --memory 1KiB")
      #expect(advice.status == 0)
      #expect(advice.output.hasPrefix("No model that was measured fits listops at 60 tokens."))
      #expect(advice.output.contains("MiB > 1.0 KiB"))
    }
  }

  @Test("Runs without answers say how to get them, and --evaluate gets them")
  func evaluating() throws {
    try withRuns { training, runs in
      let kept = "\(runs)/b/predictions-test-best.jsonl"
      let before = try Data(contentsOf: URL(fileURLWithPath: kept))
      try FileManager.default.removeItem(atPath: kept)
      let refused = try CommandRunner.lra("compare \(runs)/a \(runs)/b")
      #expect(refused.status == 0)
      // The command as it was typed here, for whoever has not installed it.
      #expect(refused.output.contains("b keeps no answers; make them with /"))
      #expect(refused.output.contains("/lra evaluate "))
      let made = try CommandRunner.lra(
        "compare \(runs)/a \(runs)/b --evaluate --data \(training.path("data"))")
      #expect(made.output.contains("of 40, p = "), "\(made.errors)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: kept)) == before)
    }
  }

  @Test("A run that says it runs while nobody holds it is shown as dead")
  func dead() throws {
    try withRuns { _, runs in
      try FileManager.default.removeItem(atPath: "\(runs)/a/result.json")
      try "running\n".write(
        toFile: "\(runs)/a/STATUS", atomically: false, encoding: .utf8)
      let top = try CommandRunner.lra("top \(runs) --once")
      #expect(top.lines.first == "\(runs): 1 done, 1 dead")
    }
  }

  @Test(
    "Wrong use is a clear error",
    arguments: [
      ("compare one-run", 64, "one run alone"), ("top no-such-folder", 66, "holds no run"),
      ("advise --task texd", 64, "did you mean text"),
      ("advise --task text --memory 4X", 64, "is not a size"),
      ("advise --task text --folder no-such-folder", 66, "no such folder"),
      ("report no-such-folder", 66, "no such folder"),
    ])
  func wrong(_ arguments: String, _ status: Int, _ message: String) throws {
    let result = try CommandRunner.lra(arguments)
    #expect(Int(result.status) == status, "\(result.errors)")
    #expect(result.errors.contains(message), "\(result.errors)")
  }
}

@Suite("lra evaluate, interrupted")
struct EvaluateInterruptedTests {
  @Test("Goes on where it was stopped or killed, and ends with the same answers")
  func goesOn() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      #expect(try training.run("run", ["--set", "task.test-count=2000"]).status == 0)
      let kept = training.path("run/predictions-test-best.jsonl")
      let whole = try Data(contentsOf: URL(fileURLWithPath: kept))
      let evaluate = [
        "evaluate", training.path("run"), "--data", training.path("data"), "--json", "--batch", "1",
        "--threads", "1",
      ]
      for signal in [SIGTERM, SIGKILL] {
        let before = try partialSize(kept)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandRunner.program)
        process.arguments = evaluate
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        while process.isRunning, try partialSize(kept) < before + 4000 { usleep(500) }
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationStatus == (signal == SIGTERM ? 75 : SIGKILL))
      }
      let last = try CommandRunner.run(CommandRunner.program, evaluate)
      #expect(last.status == 0, "\(last.errors)")
      #expect(last.errors.contains("going on after"))
      #expect(try Data(contentsOf: URL(fileURLWithPath: kept)) == whole)
      let fresh = try CommandRunner.run(CommandRunner.program, evaluate)
      #expect(!fresh.errors.contains("going on after"))
      #expect(fresh.output == last.output)
    }
  }

  private func partialSize(_ kept: String) throws -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: "\(kept).part")
    return attributes?[.size] as? Int ?? 0
  }
}
