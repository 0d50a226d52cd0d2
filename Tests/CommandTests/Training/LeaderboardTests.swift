// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra leaderboard")
struct LeaderboardTests {
  /// A grid of two models on a ListOps of a few seconds, in a folder of its own.
  private struct Grid {
    let folder: String
    var board: String { "\(folder)/board" }

    var arguments: [String] {
      [
        "leaderboard", "--tasks", "listops", "--models", "linear,s4d", "--lengths", "60", "--speed",
        "none", "--jobs", "1", "--data", "\(folder)/data", "--output", board,
      ]
        + [
          "task.train-count=300", "task.val-count=40", "task.test-count=40", "train.steps=60",
          "train.batch=8", "train.eval-every=7", "train.checkpoint-every=3", "train.log-every=1",
        ].flatMap { ["--set", $0] }
    }

    func run(_ more: [String] = []) throws -> CommandResult {
      try CommandRunner.run(CommandRunner.program, arguments + more)
    }

    func start() throws -> Process {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: CommandRunner.program)
      process.arguments = arguments
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      process.standardInput = FileHandle.nullDevice
      try process.run()
      return process
    }

    func runFolders() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: board).filter {
        $0.hasPrefix("listops-")
      }.sorted()
    }

    func weights() throws -> [Data] {
      try runFolders().map {
        try Data(
          contentsOf: URL(fileURLWithPath: "\(board)/\($0)/checkpoints/last/model.safetensors"))
      }
    }

    func events(_ event: String) throws -> [String] {
      try String(contentsOfFile: "\(board)/journal.jsonl", encoding: .utf8)
        .split(separator: "\n").map { try jsonObject(String($0)) }
        .filter { $0["event"] as? String == event }.compactMap { $0["subject"] as? String }
    }

    /// Waits until the first training has logged a step.
    func waitForSteps(_ process: Process) throws {
      for _ in 0..<20_000 where process.isRunning {
        let logs = ((try? runFolders()) ?? []).map { "\(board)/\($0)/metrics.jsonl" }
        let text = logs.compactMap { FileManager.default.contents(atPath: $0) }
        if text.contains(where: { String(decoding: $0, as: UTF8.self).contains("\"step\":9,") }) {
          return
        }
        usleep(1000)
      }
      Issue.record("the leaderboard ended before step 9")
    }
  }

  @Test("Trains what is not done, reports, and trains nothing when it is typed again")
  func twice() throws {
    try withScratchFolder { folder in
      let grid = Grid(folder: folder)
      let first = try grid.run()
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.errors.contains("trainings: 2, done: 0"))
      #expect(try grid.runFolders().count == 2)
      let page = "\(grid.board)/report/index.html"
      #expect(FileManager.default.fileExists(atPath: page))
      let again = try grid.run()
      #expect(again.status == 0, "\(again.errors)")
      #expect(again.errors.contains("trainings: 2, done: 2"))
      #expect(try grid.events("started").count == 2)
    }
  }

  @Test("A training of inputs alone is done when it is, and not done again")
  func masked() throws {
    try withScratchFolder { folder in
      let grid = Grid(folder: folder)
      let more = ["--models", "linear", "--set", "train.objective=masked", "--steps", "8"]
      let first = try grid.run(more)
      #expect(first.status == 0, "\(first.errors)")
      #expect(first.errors.contains("of masked tokens in"), "\(first.errors)")
      let again = try grid.run(more)
      #expect(again.errors.contains("trainings: 1, done: 1"), "\(again.errors)")
      #expect(try grid.events("started").count == 1 && grid.events("failed").isEmpty)
    }
  }

  @Test("Speed is measured once on a processor, and again where a folder came from another")
  func speedByProcessor() throws {
    try withScratchFolder { folder in
      let grid = Grid(folder: folder)
      let file = "\(grid.board)/speed.jsonl"
      let measured = {
        #expect(try grid.run(["--speed", "16"]).status == 0)
        return try String(contentsOfFile: file, encoding: .utf8)
      }
      let once = try measured()
      #expect(once.split(separator: "\n").count == 4)
      #expect(try measured() == once)
      let elsewhere = once.replacingOccurrences(
        of: "\"processor\":\"", with: "\"processor\":\"Another ")
      try elsewhere.write(toFile: file, atomically: true, encoding: .utf8)
      let both = try measured()
      #expect(both.hasPrefix(elsewhere) && both.split(separator: "\n").count == 8)
    }
  }

  @Test(
    "Stopped in the middle and typed again, it ends with the bytes of one that was not",
    arguments: ["last is whole", "last is dangling"])
  func stopped(state: String) throws {
    try withScratchFolder { folder in
      let whole = Grid(folder: "\(folder)/a")
      #expect(try whole.run().status == 0)
      let grid = Grid(folder: "\(folder)/b")
      let process = try grid.start()
      try grid.waitForSteps(process)
      process.terminate()
      process.waitUntilExit()
      #expect(process.terminationStatus == 75)
      if state == "last is dangling" {
        let run = try #require(try grid.runFolders().first)
        let checkpoints = "\(grid.board)/\(run)/checkpoints"
        let last = try FileManager.default.destinationOfSymbolicLink(atPath: "\(checkpoints)/last")
        try FileManager.default.removeItem(atPath: "\(checkpoints)/\(last)")
      }
      let again = try grid.run()
      #expect(again.status == 0, "\(again.errors)")
      #expect(try grid.weights() == whole.weights())
    }
  }

  @Test("A list of rates is trained, chosen from by validation, plotted, and watched")
  func sweep() throws {
    try withScratchFolder { folder in
      let grid = Grid(folder: folder)
      let run = try grid.run([
        "--models", "linear", "--set", "train.learning-rate=1e-3,1e-2", "--threads", "1",
      ])
      #expect(run.status == 0, "\(run.errors)")
      let names = try grid.runFolders()
      #expect(names.count == 2 && names[0].hasPrefix("listops-linear-small-l60-learning-rate=1e-2"))
      #expect(run.errors.contains("1 at once on 1 thread each"))
      let choice = try #require(run.lines.first { $0.hasPrefix("chosen ") })
      #expect(choice.contains("listops, linear: train.learning-rate=0.0"))
      #expect(choice.contains("at the end of what was tried of train.learning-rate"))
      #expect(run.output.contains("train.learning-rate of linear on ListOps\n"))
      let page = try String(contentsOfFile: "\(grid.board)/report/index.html", encoding: .utf8)
      #expect(page.contains("Val accuracy against train.learning-rate"))
      // Every row, mark and matrix says which value it is of; signs on the screen are themselves.
      #expect(page.contains("linear, train.learning-rate=0.001, seed 0"))
      #expect(run.output.contains("< length < 60") && !run.output.contains("&lt;"))
      // A training that waits is shown, one whose run there is, is not.
      #expect(try grid.events("queued").count == 2)
      try FileManager.default.removeItem(atPath: "\(grid.board)/\(names[0])")
      let journal = "\(grid.board)/journal.jsonl"
      let lines = try String(contentsOfFile: journal, encoding: .utf8).split(separator: "\n")
      try lines.filter { $0.contains("queued") }.joined(separator: "\n").appending("\n")
        .write(toFile: journal, atomically: false, encoding: .utf8)
      let top = try CommandRunner.lra("top \(grid.board)")
      #expect(top.lines.first?.hasSuffix(": 1 queued, 1 done") == true, "\(top.output)")
      #expect(
        top.lines.contains {
          $0.hasPrefix(names[0]) && $0.contains("queued") && $0.contains(" 0/60 ")
        })
      let above = try CommandRunner.lra("top \(folder)")
      #expect(above.lines.first?.hasSuffix(": 1 queued, 1 done") == true, "\(above.output)")
    }
  }

  @Test("--steps and --batch are short forms of their settings")
  func shortForms() throws {
    try withScratchFolder { folder in
      let cells = try ["--steps 50 --batch 8", "--set train.steps=50 --set train.batch=8"].map {
        let path = "\(folder)/\(UUID().uuidString)"
        let run = try CommandRunner.lra("leaderboard --models linear \($0) --emit slurm \(path)")
        #expect(run.status == 0, "\(run.errors)")
        return try FileManager.default.contentsOfDirectory(atPath: path).sorted().map {
          try String(contentsOfFile: "\(path)/\($0)", encoding: .utf8)
            .replacing(path, with: "")
        }
      }
      #expect(cells[0] == cells[1] && cells[0].joined().contains("train.steps=50"))
    }
  }

  @Test("Two in one folder share the work and both end with all of it")
  func together() throws {
    try withScratchFolder { folder in
      let grid = Grid(folder: folder)
      let other = try grid.start()
      let own = try grid.run()
      other.waitUntilExit()
      #expect(own.status == 0, "\(own.errors)")
      #expect(other.terminationStatus == 0)
      #expect(try grid.events("done").count == 2)
      #expect(try Set(grid.events("done")).count == 2)
    }
  }

  @Test("A training that fails is listed at the end, the others are done")
  func failing() throws {
    try withScratchFolder { folder in
      let grid = Grid(folder: folder)
      let dry = try grid.run(["--dry-run"])
      #expect(dry.status == 0, "\(dry.errors)")
      #expect(try grid.runFolders().isEmpty)
      let kind = try #require(try grid.events("measured").first { $0.contains("s4d") })
      try Data().write(to: URL(fileURLWithPath: "\(grid.board)/\(kind)-s0"))
      let result = try grid.run()
      #expect(result.status == 1)
      #expect(result.errors.contains("1 failed; the same command tries them again:"))
      #expect(try grid.events("done").map { $0.contains("linear") } == [true])
    }
  }

  @Test("A budget marks its rows, and one that is too small is refused before training")
  func budget() throws {
    try withScratchFolder { folder in
      let grid = Grid(folder: folder)
      let refused = try grid.run(["--budget", "0.01s"])
      #expect(refused.status == 64)
      #expect(refused.errors.contains("for training, which is too little"))
      // Linformer's 256 projected tokens do not fit into a length of 60.
      let partly = try grid.run(["--models", "linear,linformer", "--dry-run"])
      #expect(partly.errors.contains("trainings: 1, done: 0"))
      let none = try grid.run(["--models", "linformer"])
      #expect(none.status == 78)
      #expect(none.errors.contains("must lie between 1 and the length 60"))
      let misspelt = try grid.run(["--models", "linaer"])
      #expect(misspelt.status == 64)
      #expect(misspelt.errors.contains("did you mean linear"))
    }
  }
}
