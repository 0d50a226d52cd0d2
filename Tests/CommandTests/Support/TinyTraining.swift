// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

/// `lra train` on a ListOps of a few seconds, in a folder of its own.
struct TinyTraining {
  let folder: String

  /// Everything of the command line but the output folder.
  var arguments: [String] {
    [
      "train", "--task", "listops", "--model", "linformer", "--steps", "60", "--length", "60",
      "--batch", "8", "--data", "\(folder)/data",
    ]
      + [
        "task.train-count=300", "task.val-count=40", "task.test-count=40", "model.projected=8",
        "train.eval-every=7", "train.checkpoint-every=3", "train.log-every=1",
        "train.learning-rate=1e-3",
      ].flatMap { ["--set", $0] }
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Runs to the end.
  func run(_ name: String, _ more: [String] = []) throws -> CommandResult {
    try CommandRunner.run(CommandRunner.program, arguments + ["--output", path(name)] + more)
  }

  /// Goes on with a run.
  func resume(_ name: String) throws -> CommandResult {
    try CommandRunner.run(
      CommandRunner.program, ["train", "--resume", path(name), "--data", "\(folder)/data"])
  }

  /// Starts a run and leaves it running.
  func start(_ name: String) throws -> Process {
    try launch(arguments + ["--output", path(name)])
  }

  /// Starts any command and leaves it running.
  func launch(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandRunner.program)
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Waits until a run has logged a step.
  func wait(_ name: String, forStep step: Int, _ process: Process) throws {
    let log = path("\(name)/metrics.jsonl")
    for _ in 0..<20_000 where process.isRunning {
      let text = FileManager.default.contents(atPath: log) ?? Data()
      if String(decoding: text, as: UTF8.self).contains("\"step\":\(step),") { return }
      usleep(1000)
    }
    throw UserError(.failed, "the run ended before step \(step)", remedy: "")
  }

  /// The files that must not depend on interruptions.
  func results(_ name: String) throws -> [Data] {
    try ["last/model", "best/model", "last/optimizer"].map {
      try Data(contentsOf: URL(fileURLWithPath: path("\(name)/checkpoints/\($0).safetensors")))
    }
  }
}
