// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("Runs that are interrupted")
struct InterruptionTests {
  @Test("Killed at any moment and resumed, a run ends with the same bytes")
  func killed() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      #expect(try training.run("whole").status == 0)
      let expected = try training.results("whole")
      for (name, step) in [("a", 4), ("b", 15), ("c", 41)] {
        let process = try training.start(name)
        try training.wait(name, forStep: step, process)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let resumed = try training.resume(name)
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try training.results(name) == expected, "\(name)")
      }
    }
  }

  @Test(
    "Ctrl-C and what schedulers send save, end with status 75 and say how to go on",
    arguments: [SIGINT, SIGTERM, SIGHUP, SIGUSR2, SIGXCPU])
  func stopped(signal: Int32) throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      _ = try training.run("whole")
      let process = try training.start("stopped")
      try training.wait("stopped", forStep: 10, process)
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      #expect(process.terminationStatus == 75)
      let log = try String(contentsOfFile: training.path("stopped/STATUS"), encoding: .utf8)
      #expect(log == "stopped\n")
      #expect(try training.resume("stopped").status == 0)
      #expect(try training.results("stopped") == training.results("whole"))
    }
  }

  @Test("TERM ends the drawing of pictures at once, and what is drawn is kept")
  func drawing() throws {
    try withScratchFolder { folder in
      let data = "\(folder)/data"
      let stopped = { (name: String, line: String) throws -> [String] in
        let run = "\(folder)/\(name)"
        let process = try TinyTraining(folder: folder).launch([
          "train", "--task", "pathfinder", "--model", "linear", "--data", data, "--output", run,
        ])
        let log = {
          let bytes = FileManager.default.contents(atPath: "\(run)/log.txt") ?? Data()
          return String(decoding: bytes, as: UTF8.self)
        }
        while process.isRunning, !log().contains(line) { usleep(1000) }
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 75)
        #expect(try String(contentsOfFile: "\(run)/STATUS", encoding: .utf8) == "stopped\n")
        return try FileManager.default.contentsOfDirectory(atPath: "\(data)/pathfinder").sorted()
      }
      let first = try stopped("first", "generated ")
      #expect(first.count == 2 && first[0] == ".lock" && first[1].contains("-part-0-"))
      let second = try stopped("second", "are kept from before")
      #expect(second.starts(with: first))
    }
  }

  @Test("A bench that is ended ends its child")
  func bench() throws {
    try withScratchFolder { folder in
      let process = try TinyTraining(folder: folder).launch([
        "bench", "--model", "transformer", "--length", "2048", "--steps", "100000", "--threads",
        "1",
      ])
      var children: [Substring] = []
      while process.isRunning, children.isEmpty {
        let files = "/proc/\(process.processIdentifier)/task/*/children"
        children = try CommandRunner.run("/bin/sh", ["-c", "cat \(files)"]).output
          .split(separator: " ")
      }
      let child = try #require(children.first.flatMap { Int32($0) })
      process.terminate()
      process.waitUntilExit()
      #expect(process.terminationStatus == 75)
      #expect(kill(child, 0) != 0)
    }
  }

  @Test("A truncated checkpoint is noticed, and the one before is used")
  func truncated() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      _ = try training.run("whole")
      let process = try training.start("cut")
      try training.wait("cut", forStep: 12, process)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let file = training.path("cut/checkpoints/last/model.safetensors")
      truncate(file, 1000)
      let resumed = try training.resume("cut")
      #expect(resumed.status == 0)
      #expect(resumed.errors.contains("warning: checkpoint step-"))
      #expect(resumed.errors.contains("using step-"))
      #expect(try training.results("cut") == training.results("whole"))
    }
  }

  @Test("Two runs into one folder at once: the second is refused")
  func twice() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      _ = try training.run("data-first")
      let process = try training.start("shared")
      try training.wait("shared", forStep: 1, process)
      let second = try training.run("shared")
      #expect(second.status == 69)
      #expect(second.errors.contains("shared"))
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let third = try training.run("shared")
      #expect(third.status == 73)
      #expect(third.errors.contains("--resume"))
    }
  }
}
