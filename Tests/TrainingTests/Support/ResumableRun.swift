// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs
import Training

/// A run of twelve steps in a temporary folder, evaluated and saved every four.
struct ResumableRun {
  let folder: String
  let configuration: RunConfiguration
  let console = SilentConsole()

  init(_ folder: String, _ changes: [String] = [], model: String = "linear") throws {
    self.folder = folder
    configuration = try tinyConfiguration(folder, model: model, changes)
  }

  var path: String { "\(folder)/run" }
  func file(_ name: String) -> String { "\(path)/\(name)" }
  func checkpoint(_ step: Int) -> String {
    file("checkpoints/step-" + String(format: "%08d", step))
  }

  @discardableResult
  func train(timeLimit: Double? = nil) throws -> RunResult {
    try end(
      TrainingRun(
        configuration, folder: try RunFolder.create(path), resuming: false,
        timeLimit: timeLimit, console: console))
  }

  /// Goes on as the command does, with what the folder says.
  @discardableResult
  func resume(forgetsBest: Bool = false, at place: String? = nil) throws -> RunResult {
    let path = place ?? path
    let settings = try RunFolder.open(path).settings()
    return try end(
      TrainingRun(
        RunConfiguration(settings, dataFolder: "\(folder)/data"),
        folder: try RunFolder.resume(path), resuming: true, timeLimit: nil,
        forgetsBest: forgetsBest, console: console))
  }

  private func end(_ run: TrainingRun) throws -> RunResult {
    guard case .finished(let result) = try run.run() else {
      throw UserError(.failed, "the run did not finish", remedy: "")
    }
    return result
  }

  /// Makes the run one that was killed after the checkpoint of a step.
  func goBack(to step: Int) throws {
    for later in (step + 1)...12 { try? remove(checkpoint(later)) }
    for name in ["result.json"] { try remove(file(name)) }
  }

  func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

  func target(_ link: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: file("checkpoints/\(link)"))
  }

  /// What must be the same with and without an interruption, by file.
  func bytes(at place: String? = nil) -> [Data?] {
    ["last/model", "last/optimizer", "best/model"].map {
      FileManager.default.contents(
        atPath: "\(place ?? path)/checkpoints/\($0).safetensors")
    }
  }

  /// The curve without what time and machine decide.
  func curve() throws -> [String] {
    try MetricsLog.records(at: file("metrics.jsonl")).filter { $0.event == nil }.map { record in
      let kept = record.values.filter {
        !$0.key.hasPrefix("throughput/") && !$0.key.hasPrefix("memory/")
      }
      return "\(record.step ?? 0) \(kept.sorted { $0.key < $1.key })"
    }
  }
}
