// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Reports
import Tasks
import Training

/// Runs that nobody trained, written as `lra train` writes them.
struct SyntheticRun {
  var task = "listops"
  var model = "linformer"
  var seed = 0
  var steps = 100
  var correct = 400
  var of = 1000
  var majorityShare = 0.2
  var seconds = 60
  var preset = "small"
  var changed = ""
  var length = 2000
  var extra: [String: Setting] = [:]
  var notesChanges = true

  /// Writes the run's folder.
  func write(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try json(settings).write(to: URL(fileURLWithPath: "\(folder)/config.json"))
    try result.write(toFile: "\(folder)/result.json", atomically: false, encoding: .utf8)
    try "done\n".write(toFile: "\(folder)/STATUS", atomically: false, encoding: .utf8)
    let log = [25, 50, 100].map {
      "{\"eval/accuracy\":0.\($0),\"eval/loss\":1.5,\"step\":\($0),\"time\":1}\n"
        + "{\"train/accuracy\":0.\($0),\"train/loss\":1.25,\"step\":\($0),\"time\":1}\n"
    }
    try log.joined().write(
      toFile: "\(folder)/metrics.jsonl", atomically: false, encoding: .utf8)
  }

  /// The run as it is read back.
  func record() throws -> RunRecord {
    try withScratchFolder { folder in
      try write(to: "\(folder)/\(task)-\(model)-s\(seed)")
      return try RunRecord("\(folder)/\(task)-\(model)-s\(seed)")
    }
  }

  private var settings: [String: [String: Setting]] {
    var all: [String: [String: Setting]] = [
      "run": ["preset": .text(preset), "changed": .text(changed), "comparable": true],
      "task": ["name": .text(task), "length": .integer(length)],
      "model": ["name": .text(model)],
      "train": ["seed": .integer(seed), "steps": .integer(steps)],
    ]
    if !notesChanges { all["run", default: [:]]["changed"] = nil }
    for (key, value) in extra {
      let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
      all[parts[0], default: [:]][parts[1]] = value
    }
    return all
  }

  private var result: String {
    let test = "{\"count\":\(of),\"correct\":\(correct),\"loss\":1.5}"
    let remark = chanceRemark(correct: correct, of: of, share: majorityShare)
    return """
      {"task":"\(task)","model":"\(model)","preset":"\(preset)","changed":"\(changed)",
      "comparable":\(changed.isEmpty),"seed":\(seed),"length":\(length),"parameters":1000,
      "config_hash":"c","data_hash":"d","data_source":"made up","train_count":96000,
      "steps":\(steps),"planned_steps":\(steps),"ended":"all steps done","best_step":\(steps),
      "validation":\(test),"test_best":\(test),"test_last":\(test),"select":"best",
      "majority_share":\(majorityShare),"remark":\(remark.map { "\"\($0)\"" } ?? "null"),
      "training_seconds":\(seconds),"steps_per_second":2,"tokens_per_second":1000,
      "peak_resident_bytes":104857600,"peak_tensor_bytes":52428800,"threads":1}
      """
  }

  private func json(_ value: some Encodable) throws -> Data {
    try JSONEncoder().encode(value)
  }
}

/// Measurements that nobody made: `factor · (length / 1024)^power` seconds a step.
func syntheticSpeed(
  _ model: String, _ factor: Double, _ power: Double, lengths: [Int] = [1024, 2048, 4096]
) -> [BenchmarkResult] {
  lengths.map { length in
    let seconds = factor * pow(Double(length) / 1024, power)
    return BenchmarkResult(
      model: model, length: length, batch: 8, towers: 1, emb: 64, heads: 2, layers: 2, mlp: 128,
      stepS: seconds, minS: seconds, tokensPerS: 1, peakRssMib: 100, params: length,
      threads: 1, forward: false, flops: 1_000_000_000, gflopsPerS: 1, peakTensorMib: seconds,
      sgemmGflopsPerS: 10, mfu: 0.5, pageFaultsPerStep: 0)
  }
}

/// Runs `body` with the path of a fresh folder that is removed afterwards.
func withScratchFolder<T>(_ body: (String) throws -> T) throws -> T {
  let path = FileManager.default.temporaryDirectory.path + "/lra-reports-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}
