// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Runs
import Testing
import Training

/// Trainings that start from weights which are there.
@Suite("Initial weights")
struct InitialWeightsTests {
  /// The first weights of a run, which takes no step.
  private func start(
    _ folder: String, _ name: String, _ changes: [String], model: String = "linear"
  ) throws -> (weights: SafeTensors, note: InitialWeights, console: SilentConsole) {
    let console = SilentConsole()
    let path = "\(folder)/\(name)"
    let configuration = try tinyConfiguration(folder, model: model, changes + ["train.steps=0"])
    _ = try TrainingRun(
      configuration, folder: try RunFolder.create(path), resuming: false, timeLimit: nil,
      console: console
    ).run()
    let note = try SnakeCaseJSON.decoded(
      InitialWeights.self, from: Data(readFile("\(path)/initial.json")))
    return (try SafeTensors(contentsOf: "\(path)/model.safetensors"), note, console)
  }

  @Test(
    "All tensors that fit are copied to the bit; those that do not keep their draw, and are told")
  func copied() throws {
    try withTemporaryFolder { folder in
      let source = try ResumableRun(folder)
      try source.train()
      let file = source.file("checkpoints/best/model.safetensors")
      let given = try SafeTensors(contentsOf: file)

      let (same, all, _) = try start(folder, "same", ["train.initial=\(source.path)"])
      #expect(same.serialized() == given.serialized())
      #expect(all.copied.count == given.entries.count && all.left.isEmpty && all.unused.isEmpty)
      #expect(all.sha256 == SHA256.hexadecimal(of: try readFile(file)))
      #expect(all.source == source.path)

      // Another length: other positions. Another kind: other mixers.
      let changes = ["task.length=30", "train.seed=5"]
      let (other, note, console) = try start(
        folder, "other", changes + ["train.initial=\(file)"], model: "linformer")
      let fresh = try tinyConfiguration(folder, changes).makeModel().weights()
      #expect(note.left.contains { $0.name == "embedding.position" })
      #expect(
        note.left.first { $0.name == "embedding.position" }?.reason
          == "[30, 32] here, [40, 32] there")
      #expect(
        note.left.contains { $0.name.contains("projection") && $0.reason == "not in the file" })
      #expect(note.copied.contains("embedding.token") && note.copied.contains("head.output.weight"))
      for name in note.copied { #expect(try other.floats(name) == given.floats(name), "\(name)") }
      for left in note.left { #expect(try other.floats(left.name) == fresh.floats(left.name)) }
      let told = console.messages.joined(separator: "\n")
      #expect(told.contains("embedding.position ([30, 32] here, [40, 32] there)"))
      #expect(told.contains(note.sha256.prefix(12)))
    }
  }

  @Test("A finished run goes on as a new one, by its settings and weights")
  func continued() throws {
    try withTemporaryFolder { folder in
      let source = try ResumableRun(folder)
      try source.train()
      var request = RunConfiguration.Request(
        task: "listops", model: "linear", dataFolder: "\(folder)/data")
      request.configFile = source.file("config.json")
      request.assignments = [
        ("train.initial=\(source.path)", "--set"), ("train.steps=4", "--steps"),
      ]
      let run = try TrainingRun(
        RunConfiguration(request), folder: try RunFolder.create("\(folder)/longer"),
        resuming: false, timeLimit: nil, console: SilentConsole())
      guard case .finished(let result) = try run.run() else { throw CancellationError() }
      #expect(result.steps == 4 && !result.comparable)
      #expect(result.changed?.contains("train.initial") == true)
    }
  }

  @Test(
    "A run that was killed before its first checkpoint begins with the same weights, or refuses")
  func killed() throws {
    try withTemporaryFolder { folder in
      let source = try ResumableRun(folder)
      try source.train()
      let copy = "\(folder)/weights.safetensors"
      try FileManager.default.copyItem(
        atPath: source.file("checkpoints/best/model.safetensors"), toPath: copy)
      let run = try ResumableRun("\(folder)/second", ["train.initial=\(copy)"])
      try run.train()
      let bytes = run.bytes()
      for name in ["checkpoints", "result.json"] { try run.remove(run.file(name)) }
      try run.resume()
      #expect(run.bytes() == bytes)

      // After the first checkpoint the source is no longer needed.
      try run.goBack(to: 8)
      try Data([1]).write(to: URL(fileURLWithPath: copy))
      try run.resume()
      #expect(run.bytes() == bytes)

      for name in ["checkpoints", "result.json"] { try run.remove(run.file(name)) }
      var other = SafeTensors()
      other.add("head.output.bias", shape: [10], [Float](repeating: 0, count: 10))
      try other.write(to: copy)
      let error = userError { try run.resume() }
      #expect(error?.kind == .badData && error?.problem.contains("SHA-256") == true)
    }
  }

  @Test("What cannot be started from is refused, and leaves no run")
  func refused() throws {
    try withTemporaryFolder { folder in
      let source = try ResumableRun(folder)
      try source.train()
      let refuse = { (path: String) in
        let error = userError { _ = try start(folder, "new", ["train.initial=\(path)"]) }
        #expect(!exists("\(folder)/new"))
        return error
      }
      #expect(refuse("\(folder)/none")?.kind == .missingInput)
      #expect(refuse(folder)?.kind == .missingInput)

      var foreign = SafeTensors()
      foreign.add("embedding.token", shape: [1], [Float(1)])
      try foreign.write(to: "\(folder)/foreign.safetensors")
      #expect(
        refuse("\(folder)/foreign.safetensors")?.problem.contains("none of its 1 tensor") == true)

      var infinite = SafeTensors()
      infinite.add("norm.scale", shape: [32], [Float](repeating: .infinity, count: 32))
      try infinite.write(to: "\(folder)/infinite.safetensors")
      #expect(refuse("\(folder)/infinite.safetensors")?.problem.contains("norm.scale") == true)

      let lock = try FileLock(source.file(".lock"))
      #expect(refuse(source.path)?.problem.contains("still being trained") == true)
      withExtendedLifetime(lock) {}
    }
  }
}
