// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs
import Testing

@Suite("Checkpoint")
struct CheckpointTests {
  @Test("Links follow the newest, the one before and the best; the rest is deleted")
  func links() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/a"
      try prepared(path, steps: [10, 20], best: 20)
      #expect(contents("\(path)/model.safetensors") == "weights 20")
      let run = try RunFolder.resume(path)
      for step in [30, 40, 50] { try save(run, step) }
      #expect(
        names(in: run.checkpoints) == [
          "best", "last", "previous", "step-00000020", "step-00000040", "step-00000050",
        ])
      let target = { try FileManager.default.destinationOfSymbolicLink(atPath: $0) }
      #expect(try target("\(run.checkpoints)/last") == "step-00000050")
      #expect(try target("\(run.checkpoints)/previous") == "step-00000040")
      #expect(try target("\(run.checkpoints)/best") == "step-00000020")
      #expect(try target("\(path)/model.safetensors") == "checkpoints/best/model.safetensors")
      #expect(try run.loadCheckpoint(.last).checkpoint.step == 50)
      #expect(try run.loadCheckpoint(.best).checkpoint.step == 20)
      #expect(try run.loadCheckpoint(.last).message == nil)
      #expect(
        names(in: try run.loadCheckpoint(.last).checkpoint.path)
          == ["COMPLETE", "model.safetensors", "trainer_state.json"])
    }
  }

  @Test("Without a best one, the last stands for it, in the top-level link too")
  func noBest() throws {
    try withTemporaryFolder { root in
      try prepared("\(root)/a", steps: [10, 20])
      #expect(contents("\(root)/a/model.safetensors") == "weights 20")
      #expect(try RunFolder.open("\(root)/a").loadCheckpoint(.best).checkpoint.step == 20)
    }
  }

  @Test(
    "A damaged last checkpoint is passed over in favour of the one before, with a message",
    arguments: [
      ("model.safetensors", "weights 21", "wrong checksum"),
      ("model.safetensors", "weight", "6 bytes instead of 10"),
      ("trainer_state.json", nil, "trainer_state.json is missing"),
      ("COMPLETE", nil, "not complete"),
      ("COMPLETE", "{", "cannot be read"),
    ])
  func fallback(file: String, text: String?, reason: String) throws {
    try withTemporaryFolder { root in
      try prepared("\(root)/a", steps: [10, 20])
      try damage("\(root)/a/checkpoints/step-00000020/\(file)", text)
      let run = try RunFolder.open("\(root)/a")
      let (checkpoint, message) = try run.loadCheckpoint(.last)
      #expect(checkpoint.step == 10)
      #expect(message?.contains("step-00000020") == true)
      #expect(message?.contains(reason) == true, "\(message ?? "")")
      #expect(message?.contains("using step-00000010 instead") == true)
    }
  }

  @Test("After a fallback the damaged checkpoint does not become the one to fall back to")
  func afterFallback() throws {
    try withTemporaryFolder { root in
      try prepared("\(root)/a", steps: [10, 20])
      try damage("\(root)/a/checkpoints/step-00000020/model.safetensors", "x")
      let run = try RunFolder.resume("\(root)/a")
      #expect(try run.loadCheckpoint(.last).checkpoint.step == 10)
      try save(run, 15)
      #expect(
        names(in: run.checkpoints) == ["last", "previous", "step-00000010", "step-00000015"])
      try damage("\(run.checkpoints)/step-00000015/model.safetensors", "x")
      #expect(try run.loadCheckpoint(.last).checkpoint.step == 10)
    }
  }

  @Test("A step that was saved before is replaced")
  func replaced() throws {
    try withTemporaryFolder { root in
      try prepared("\(root)/a", steps: [10, 20])
      let run = try RunFolder.resume("\(root)/a")
      try damage("\(run.checkpoints)/step-00000020/model.safetensors", "x")
      try save(run, 20)
      #expect(try run.loadCheckpoint(.last).message == nil)
      #expect(
        names(in: run.checkpoints) == ["last", "previous", "step-00000010", "step-00000020"])
    }
  }

  @Test("When none is usable, the error lists what is wrong with each")
  func none() throws {
    try withTemporaryFolder { root in
      try prepared("\(root)/a", steps: [10, 20])
      try damage("\(root)/a/checkpoints/step-00000010/model.safetensors", "x")
      try damage("\(root)/a/checkpoints/step-00000020/COMPLETE", nil)
      let run = try RunFolder.open("\(root)/a")
      let error = userError { _ = try run.loadCheckpoint(.last) }
      #expect(error?.kind == .badData)
      #expect(error?.problem.contains("step-00000020: not complete") == true)
      #expect(error?.problem.contains("step-00000010: model.safetensors has 1 bytes") == true)
      try prepared("\(root)/b", steps: [])
      let empty = userError { _ = try RunFolder.open("\(root)/b").loadCheckpoint(.last) }
      #expect(empty?.kind == .missingInput)
    }
  }

  @Test("A file that the disk does not give is not called missing")
  func unreadable() throws {
    try withTemporaryFolder { root in
      try prepared("\(root)/a", steps: [10])
      let file = "\(root)/a/checkpoints/step-00000010/model.safetensors"
      let problem = {
        userError { _ = try RunFolder.open("\(root)/a").loadCheckpoint(.last) }?.problem ?? ""
      }
      try damage(file, nil)
      #expect(problem().hasSuffix("step-00000010: model.safetensors is missing"))
      try FileManager.default.createSymbolicLink(
        atPath: file, withDestinationPath: "model.safetensors")
      #expect(problem().hasSuffix("step-00000010: model.safetensors cannot be read"))
    }
  }

  @Test("A damaged best checkpoint is not replaced by another model in silence")
  func damagedBest() throws {
    try withTemporaryFolder { root in
      try prepared("\(root)/a", steps: [10, 20, 30], best: 10)
      try damage("\(root)/a/checkpoints/step-00000010/model.safetensors", "x")
      let run = try RunFolder.open("\(root)/a")
      #expect(userError { _ = try run.loadCheckpoint(.best) }?.kind == .badData)
    }
  }

  @Test("A failed save leaves the earlier checkpoint and no rubbish")
  func failedSave() throws {
    try withTemporaryFolder { root in
      try prepared("\(root)/a", steps: [10])
      let run = try RunFolder.resume("\(root)/a")
      let error = userError {
        try run.saveCheckpoint(
          step: 20, best: false, files: ["a.bin": [1], "missing/model.safetensors": [2]])
      }
      #expect(error?.kind == .cannotWrite)
      #expect(names(in: run.checkpoints) == ["last", "step-00000010"])
      #expect(try run.loadCheckpoint(.last).checkpoint.step == 10)
    }
  }

  private func damage(_ path: String, _ text: String?) throws {
    if let text {
      try text.write(toFile: path, atomically: false, encoding: .utf8)
    } else {
      try FileManager.default.removeItem(atPath: path)
    }
  }
}
