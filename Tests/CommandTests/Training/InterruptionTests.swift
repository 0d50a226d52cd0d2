// SPDX-License-Identifier: Apache-2.0

import Base
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
      let stopped = { (arguments: [String], isDrawing: (Process) -> Bool) throws -> [String] in
        let process = try TinyTraining(folder: folder).launch(arguments + ["--data", data])
        while process.isRunning, !isDrawing(process) { usleep(1000) }
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 75)
        return try FileManager.default.contentsOfDirectory(atPath: "\(data)/pathfinder").sorted()
      }
      let text = { (path: String) in
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
      }
      let train = { (name: String, line: String) throws -> [String] in
        let run = "\(folder)/\(name)"
        let names = try stopped([
          "train", "--task", "pathfinder", "--model", "linear", "--output", run,
        ]) { _ in text("\(run)/log.txt").contains(line) }
        #expect(text("\(run)/STATUS") == "stopped\n")
        return names
      }
      let first = try train("first", "generated ")
      #expect(first.count == 2 && first[0] == ".lock" && first[1].contains("-part-0-"))
      let second = try stopped(["data", "make", "pathfinder"]) {
        text("\(data)/pathfinder/.lock").hasPrefix("process \($0.processIdentifier) ")
      }
      #expect(second.starts(with: first))
      // Nobody is kept waiting for a lock by a signal that asks to stop.
      let lock = try FileLock("\(data)/pathfinder/.lock")
      let third = try train("third", "waiting for process")
      withExtendedLifetime(lock) { #expect(third == second) }
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
