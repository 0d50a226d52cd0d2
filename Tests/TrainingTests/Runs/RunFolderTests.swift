// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs
import Synchronization
import Testing

@Suite("RunFolder")
struct RunFolderTests {
  @Test("A new folder is locked, running, and refuses a second process")
  func lock() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/runs/a"
      var run: RunFolder? = try RunFolder.create(path)
      try run?.write(sampleSettings())
      #expect(run?.status == .running)
      #expect(userError { _ = try RunFolder.resume(path) }?.problem.contains("in use") == true)
      // Reading needs no lock.
      #expect(try RunFolder.open(path).settings().integer("train.steps") == 9)
      try run?.setStatus(.stopped)
      run = nil
      #expect(try RunFolder.open(path).status == .stopped)
      #expect(try RunFolder.resume(path).status == .running)
    }
  }

  @Test("A folder that holds a run is not overwritten")
  func occupied() throws {
    try withTemporaryFolder { root in
      try RunFolder.create("\(root)/a").write(sampleSettings())
      try RunFolder.resume("\(root)/a").setStatus(.done)
      let error = userError { _ = try RunFolder.create("\(root)/a") }
      #expect(error?.kind == .cannotWrite)
      #expect(error?.problem.contains("holds a run already (done)") == true)
      #expect(error?.remedy.contains("--resume") == true)
      #expect(contents("\(root)/a/STATUS") == "done\n")
    }
  }

  @Test("A missing run is named")
  func missing() throws {
    try withTemporaryFolder { root in
      let error = userError { _ = try RunFolder.open("\(root)/nothing") }
      #expect(error?.kind == .missingInput)
      #expect(error?.problem.contains("\(root)/nothing: no such folder") == true)
      #expect(
        userError { _ = try RunFolder.resume(root) }?.problem.contains("holds no run") == true)
    }
  }

  @Test("A place that cannot be written is named with the reason")
  func unwritable() throws {
    try withTemporaryFolder { root in
      try "".write(toFile: "\(root)/file", atomically: false, encoding: .utf8)
      let error = userError { _ = try RunFolder.create("\(root)/file/run") }
      #expect(error?.kind == .cannotWrite)
      #expect(error?.problem.contains("\(root)/file/run") == true)
      #expect(error?.problem.contains("not a directory") == true, "\(error?.problem ?? "")")
    }
  }

  @Test("Default names count up, also for runs that begin at once")
  func names() throws {
    try withTemporaryFolder { root in
      let create = {
        try RunFolder.createDefault(
          root: "\(root)/runs", task: "text", model: "bigbird", preset: "quick", seed: 3)
      }
      let first = try create()
      #expect(first.path == "\(root)/runs/text-bigbird-quick-s3")
      let others = Mutex<[String]>([])
      concurrently(6, threads: 6) { _ in
        let path = try? RunFolder.createDefault(
          root: "\(root)/runs", task: "text", model: "bigbird", preset: "quick", seed: 3
        ).path
        others.withLock { $0.append(path ?? "none") }
      }
      #expect(
        others.withLock { $0.sorted() }
          == (2...7).map { "\(root)/runs/text-bigbird-quick-s3-\($0)" })
    }
  }

  @Test("A run folder that is moved or deleted while its run goes on is missed, not made again")
  func moved() throws {
    try withTemporaryFolder { root in
      let run = try RunFolder.create("\(root)/a")
      try save(run, 10)
      try FileManager.default.moveItem(atPath: "\(root)/a", toPath: "\(root)/b")
      for step in [20, 30] {
        let error = userError { try save(run, step) }
        #expect(error?.kind == .cannotWrite)
        #expect(error?.problem.contains("\(root)/a: the run folder was moved or deleted") == true)
      }
      #expect(userError { try run.setStatus(.done) }?.kind == .cannotWrite)
      #expect(userError { try run.write([1], to: "result.json") }?.kind == .cannotWrite)
      #expect(TrainingTests.names(in: root) == ["b"])
      // Another folder of that name is not the run's.
      try RunFolderTests.makeFolder("\(root)/a/checkpoints")
      #expect(userError { try save(run, 40) }?.kind == .cannotWrite)
      #expect(TrainingTests.names(in: "\(root)/a/checkpoints").isEmpty)
    }
  }

  @Test("Going on removes what a killed process left half-written")
  func leftovers() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/a"
      try prepared(path, steps: [10])
      for folder in ["step-00000020.tmp-77", "step-00000030"] {
        try RunFolderTests.makeFolder("\(path)/checkpoints/\(folder)")
        try "half".write(
          toFile: "\(path)/checkpoints/\(folder)/model.safetensors", atomically: false,
          encoding: .utf8)
      }
      try "half".write(toFile: "\(path)/result.json.tmp-77", atomically: false, encoding: .utf8)
      // Killed between moving step 10 aside and moving its successor into place.
      try FileManager.default.moveItem(
        atPath: "\(path)/checkpoints/step-00000010",
        toPath: "\(path)/checkpoints/step-00000010.old-77")
      let run = try RunFolder.resume(path)
      #expect(
        TrainingTests.names(in: run.checkpoints).filter { $0.hasPrefix("step") }
          == ["step-00000010"])
      #expect(!exists("\(path)/result.json.tmp-77"))
      #expect(try run.loadCheckpoint(.last).checkpoint.step == 10)
    }
  }

  static func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
}

func sampleSettings() -> Settings {
  var settings = Settings()
  settings.declare("train.steps", 9)
  return settings
}

/// A run that has saved checkpoints after the given steps and then let go of its lock.
func prepared(_ path: String, steps: [Int], best: Int? = nil) throws {
  let run = try RunFolder.create(path)
  try run.write(sampleSettings())
  for step in steps { try save(run, step, best: step == best) }
}

func save(_ run: RunFolder, _ step: Int, best: Bool = false) throws {
  try run.saveCheckpoint(
    step: step, best: best,
    files: [
      "model.safetensors": Array("weights \(step)".utf8),
      "trainer_state.json": Array("{\"step\":\(step)}".utf8),
    ])
}
