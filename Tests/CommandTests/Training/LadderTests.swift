// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra ladder")
struct LadderCommandTests {
  /// A ladder on a ListOps of a few seconds, in a folder of its own.
  private struct Tiny {
    let folder: String
    var output: String { "\(folder)/ladder" }

    func arguments(_ methods: String) -> [String] {
      [
        "ladder", "--task", "listops", "--model", "transformer", "--methods", methods, "--length",
        "40", "--steps", "20", "--jobs", "1", "--threads", "1", "--margin", "90", "--data",
        "\(folder)/data", "--output", output,
      ]
        + [
          "task.train-count=100", "task.val-count=20", "task.test-count=20", "train.batch=4",
          "train.eval-every=10", "train.checkpoint-every=2", "train.log-every=1", "model.width=16",
          "model.feed-forward=32",
        ].flatMap { ["--set", $0] }
    }

    func run(_ methods: String, _ more: [String] = []) throws -> CommandResult {
      try CommandRunner.run(CommandRunner.program, arguments(methods) + more)
    }

    func weights(_ run: String) throws -> Data {
      try Data(contentsOf: URL(fileURLWithPath: "\(output)/\(run)/model.safetensors"))
    }

    var started: [String] {
      let text = (try? String(contentsOfFile: "\(output)/journal.jsonl", encoding: .utf8)) ?? ""
      return text.split(separator: "\n").compactMap { try? jsonObject(String($0)) }
        .filter { $0["event"] as? String == "started" }.compactMap { $0["subject"] as? String }
    }
  }

  @Test("Each method alone and the best together, all of them runs; typed again nothing is made")
  func ladder() throws {
    try withScratchFolder { folder in
      let tiny = Tiny(folder: folder)
      let dry = try tiny.run("int8,prune-hidden", ["--dry-run"])
      #expect(dry.status == 0, "\(dry.errors)")
      #expect(dry.output.contains("baseline-n20-s0, int8-n20-s0"))
      let first = try tiny.run("int8,prune-hidden", ["--json"])
      #expect(first.status == 0, "\(first.errors)")
      let record = try first.object()
      let rows = try #require(record["rows"] as? [[String: Any]])
      #expect(
        rows.compactMap { $0["role"] as? String } == ["baseline", "alone", "alone", "combination"])
      #expect(record["chosen"] as? [String] == ["prune-hidden", "int8"])
      let bytes = rows.compactMap { $0["bytes"] as? Int }
      #expect(bytes.count == 4 && bytes[3] < bytes.dropLast().min() ?? 0)
      for row in rows {
        #expect(row["flops"] as? Int ?? 0 > 0 && row["latency95"] as? Double ?? 0 > 0)
        #expect(row["training"] != nil && row["steps"] as? Int ?? 0 >= 20)
      }
      #expect(rows.dropFirst().allSatisfy { $0["comparison"] != nil })
      let table = try String(contentsOfFile: "\(tiny.output)/ladder.md", encoding: .utf8)
      #expect(table.contains("| all chosen |") && table.contains(": prune-hidden + int8."))

      let turns = "printf '\\n\\n' | \"$0\" bench \(tiny.output)/baseline-n20-s0 --turns --steps 3"
      for (flag, key) in [("", "latency_s"), (" --training", "step_s")] {
        let turn = try CommandRunner.run("/bin/sh", ["-c", turns + flag, CommandRunner.program])
        #expect(turn.output.hasPrefix("\n{"), "\(turn.errors)")
        let counts = try turn.objects().map { ($0[key] as? [Double])?.count }
        #expect(counts == [3, 3])
      }
      #expect(try CommandRunner.lra("bench \(tiny.output)/baseline-n20-s0 --training").status == 64)

      let before = tiny.started
      let again = try tiny.run("int8,prune-hidden")
      #expect(again.status == 0, "\(again.errors)")
      #expect(tiny.started == before)
      #expect(again.output.contains("search"))
      let other = try tiny.run("int8", ["--set", "train.clip=1"])
      #expect(other.status == 64 && other.errors.contains("another baseline"), "\(other.errors)")
    }
  }

  @Test("Killed with all its processes and typed again, it ends with the same weights")
  func killed() throws {
    try withScratchFolder { folder in
      let whole = Tiny(folder: "\(folder)/a")
      #expect(try whole.run("prune-hidden").status == 0)
      let tiny = Tiny(folder: "\(folder)/b")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: CommandRunner.program)
      process.arguments = tiny.arguments("prune-hidden")
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      process.standardInput = FileHandle.nullDevice
      try process.run()
      let log = "\(tiny.output)/baseline-n20-s0/metrics.jsonl"
      for _ in 0..<20_000 where process.isRunning {
        let text = FileManager.default.contents(atPath: log) ?? Data()
        if String(decoding: text, as: UTF8.self).contains("\"step\":5,") { break }
        usleep(1000)
      }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      // A compression that was killed before it had saved its model.
      let begun = "\(tiny.output)/prune-hidden-n20-t2-s0"
      if !FileManager.default.fileExists(atPath: begun) {
        try FileManager.default.createDirectory(
          atPath: begun, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
          atPath: "\(whole.output)/prune-hidden-n20-t2-s0/config.json",
          toPath: "\(begun)/config.json")
        let resumed = try CommandRunner.lra("train --resume \(begun) --data \(folder)/b/data")
        #expect(resumed.status == 66 && resumed.errors.contains("compress"), "\(resumed.errors)")
      }
      let again = try tiny.run("prune-hidden")
      #expect(again.status == 0, "\(again.errors)")
      for run in ["baseline-n20-s0", "prune-hidden-n20-t2-s0"] {
        #expect(try tiny.weights(run) == whole.weights(run), "\(run)")
      }
    }
  }

  @Test(
    "What cannot be is refused before anything is trained",
    arguments: [
      ("int9", "", 64, "did you mean int8"), ("lowrank", "--model linear", 64, "does not apply"),
      ("prune-heads", "--model fnet", 64, "has no heads"), ("int8", "--margin 0", 64, "--margin"),
      ("int8", "--seeds 1,1", 64, "twice"), ("int8", "--budget 0.01s", 64, "too little"),
      ("int8", "--goal small", 64, "file"),
    ])
  func refusals(methods: String, more: String, status: Int, text: String) throws {
    try withScratchFolder { folder in
      let result = try CommandRunner.lra(
        "ladder --task listops --model transformer \(more) --methods \(methods) --output \(folder)/l "
          + "--data \(folder)/data --length 40 --set task.train-count=60 --set task.val-count=10 "
          + "--set task.test-count=10 --set model.width=16 --threads 1")
      #expect(result.status == Int32(status), "\(result.errors)")
      #expect(result.errors.contains(text), "\(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/l/baseline-s0"))
    }
  }

  @Test("Where test examples choose the checkpoint, they would choose the methods too")
  func testSplit() throws {
    let result = try CommandRunner.lra(
      "ladder --task text --model linear --methods int8 --set task.validation=test")
    #expect(result.status == 64 && result.errors.contains("holdout"), "\(result.errors)")
  }
}
