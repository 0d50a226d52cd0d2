// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Models
import Reports
import Runs
import Synchronization
import Tasks
import Training

/// Whole files of every kind, made by the program's own writers.
struct SeedFiles {
  private let folder: String

  init(_ folder: String) { self.folder = folder }

  func write() throws {
    try train("a", seed: 0)
    try train("b", seed: 1)
    _ = try PublishedRuns.publish(RunRecord("\(folder)/runs/a"), to: "\(folder)/runs")
    try text(speed.joined(separator: "\n") + "\n", "runs/speed.jsonl")
    try text(speed.prefix(3).map(peer).joined(separator: "\n") + "\n", "runs/peers.jsonl")
    for name in ["runs.jsonl", "speed.jsonl", "peers.jsonl"] {
      try bytes(readFile("\(folder)/runs/\(name)"), "alone/\(name)/\(name)")
    }
    try text(greenformers, "measured/greenformers.jsonl")
    try text(ladder, "measured/ladder.jsonl")
    try text(turns, "measured/turns.jsonl")
    try journal()
    try image()
    try reviews()
    try papers()
    try pictures()
    try sequences()
    // What the task keeps of what it has read.
    try Room.readAll(Retrieval(TaskOptions(dataFolder: "\(folder)/data")))
  }

  /// A ListOps run of four steps.
  private func train(_ name: String, seed: Int) throws {
    let run = try TrainingRun(
      Self.configuration(data: "\(folder)/data", seed: seed),
      folder: RunFolder.create("\(folder)/runs/\(name)"), resuming: false, timeLimit: nil,
      console: SilentConsole())
    _ = try run.run()
  }

  /// The configuration of the runs, made once a folder: it is no part of what is read.
  static func configuration(data: String) throws -> RunConfiguration {
    try made.withLock { made in
      let configuration = try made[data] ?? configuration(data: data, seed: 0)
      made[data] = configuration
      return configuration
    }
  }

  private static let made = Mutex<[String: RunConfiguration]>([:])

  private static func configuration(data: String, seed: Int) throws -> RunConfiguration {
    var request = RunConfiguration.Request(task: "listops", model: "linformer", dataFolder: data)
    request.assignments = [
      "task.length=40", "task.train-count=16", "task.val-count=8", "task.test-count=8",
      "model.width=8", "model.feed-forward=8", "model.layers=1", "model.projected=4",
      "train.batch=4", "train.steps=4", "train.eval-every=2", "train.checkpoint-every=2",
      "train.log-every=1", "train.seed=\(seed)",
    ].map { ($0, "--set") }
    return try RunConfiguration(request)
  }

  private var speed: [String] {
    get throws {
      try ["linformer", "lowrank", "transformer"].flatMap { model in
        try [1024, 2048].map { length in
          let result = BenchmarkResult(
            processor: "Some CPU", model: model, length: length, batch: 8, towers: 1, emb: 64,
            heads: 4, layers: 4, mlp: 128, stepS: Double(length) / 1000, minS: 0.5, tokensPerS: 100,
            peakRssMib: 100, params: 1000, threads: 2, forward: false, flops: 1_000_000,
            gflopsPerS: 10, peakTensorMib: 10.5, sgemmGflopsPerS: 100, mfu: 0.5,
            pageFaultsPerStep: 0)
          return String(
            decoding: try SnakeCaseJSON.encoded(result, oneLine: true), as: UTF8.self)
        }
      }
    }
  }

  private func peer(_ own: String) -> String {
    """
    {"shape":"narrow","model":"linear","length":1024,"batch":8,"threads":1,"forward":false,\
    "processor":"Some CPU","peer":{"step_s":2.5,"peak_rss_mib":812.4,"torch":"2.0"},\
    "first_s":{"own":0.5,"peer":4.5},"own":\(own)}
    """
  }

  /// Measurements of models by length, and of a layer.
  private var greenformers: String {
    get throws {
      let grid = GreenformersGrid(
        widths: [64], lengths: [256, 512], ranks: [.share(0.5)], projected: [64], layerRanks: [64],
        batch: 8)
      return try grid.comparisons().joined().map { cell in
        let result = BenchmarkResult(
          processor: "Some CPU", model: cell.model, length: cell.length, batch: cell.batch,
          towers: 1, emb: cell.width, heads: cell.heads, layers: cell.layers, mlp: cell.feedForward,
          stepS: Double(cell.length) / 1000, minS: 0.2, tokensPerS: 100, peakRssMib: 100,
          params: 1000, threads: 1, forward: cell.forward, flops: Int(cell.flops), gflopsPerS: 10,
          peakTensorMib: 10.5, sgemmGflopsPerS: 100, mfu: 0.5, pageFaultsPerStep: 0, energyJ: 2)
        let record = GreenformersRecord(cell: cell, round: 0, result: result)
        return String(
          decoding: try SnakeCaseJSON.encoded(record, oneLine: true), as: UTF8.self) + "\n"
      }.joined()
    }
  }

  /// A ladder with a row beside the baseline.
  private var ladder: String {
    get throws {
      var baseline = LadderRow([], role: .baseline)
      (baseline.models, baseline.accuracy, baseline.bytes, baseline.weights) = (1, 0.5, 4000, 1000)
      var row = LadderRow([try LadderMethod.named("int8")], role: .alone)
      (row.models, row.accuracy, row.bytes, row.nonzero, row.flops) = (1, 0.45, 1000, 990, 1 << 20)
      row.latency = LadderRow.Time(seconds: 0.01, gain: 2)
      row.trainingEnergy = EnergyEstimate(counted: 30)
      row.comparison = LadderRow.Comparison(
        loss: 0.05, error: 0.01, probability: 0.01, verdict: .notShown)
      let record = LadderRecord(
        baseline: LeaderboardCell(
          task: "listops", model: "linear", preset: "small", length: nil, seed: 0,
          assignments: ["train.clip=1"]),
        length: 40, steps: 10, goal: .file, margin: 0.01, seeds: [0], processor: "Some CPU",
        threads: 1, jobs: 1, rows: [baseline, row], chosen: [], searchSeconds: 60, notes: ["none"])
      return String(decoding: try SnakeCaseJSON.encoded(record, oneLine: true), as: UTF8.self)
        + "\n"
    }
  }

  /// A measurement of two turns.
  private var turns: String {
    get throws {
      var turn = RunTurn()
      (turn.latencyS, turn.manyS, turn.stepS) = ([0.01, 0.02], [0.3], [0.5])
      (turn.flops, turn.weights, turn.nonzero, turn.energyJ) = (1000, 10, 9, 0.5)
      let measurement = LadderMeasurement(
        run: "a", isTraining: false, own: [turn, turn], baseline: [turn, turn])
      return String(decoding: try SnakeCaseJSON.encoded(measurement, oneLine: true), as: UTF8.self)
        + "\n"
    }
  }

  private func journal() throws {
    let journal = try LeaderboardJournal(folder: folder)
    var measured = LeaderboardJournal.Entry(.measured, "kind")
    measured.cost = RunCost(
      stepSeconds: 0.5, validationSeconds: 2, testSeconds: 3, peakResidentBytes: 1 << 20,
      steps: 1000, evalEvery: 100, threads: 1)
    var planned = LeaderboardJournal.Entry(.planned, "cell")
    (planned.steps, planned.budget) = (30, 3600)
    for entry in [measured, planned, LeaderboardJournal.Entry(.done, "cell")] {
      try journal.write(entry)
    }
  }

  /// Two records a file of CIFAR's binary version.
  private func image() throws {
    for name in (1...5).map({ "data_batch_\($0).bin" }) + ["test_batch.bin"] {
      let record = [3] + (0..<3072).map { UInt8($0 % 251) }
      try bytes(record + record, "data/image/cifar-10-batches-bin/\(name)")
    }
  }

  private func reviews() throws {
    for part in ["train", "test"] {
      for (name, stars) in [("neg", 2), ("pos", 9)] {
        for id in 0..<6 {
          try text(
            "A film <br /> of é \(id).\n", "data/text/aclImdb/\(part)/\(name)/\(id)_\(stars).txt")
        }
      }
    }
  }

  private func papers() throws {
    for split in ["train", "eval", "test"] {
      try text(
        "1.0\t'p1'\t'p2'\tb'a \\xc3\\xa9 text'\tanother text\r\n0.0\tp3\tp4\tfourth\tfifth\n",
        "data/retrieval/new_aan_pairs.\(split).tsv")
      try text("1\tA00\tB00\n0\tA00\tA00\n", "papers/retrieval/id_pairs.\(split).tsv")
    }
    try text("one paper", "papers/retrieval/papers_text/A00.txt")
    try text("another", "papers/retrieval/papers_text/B00.txt")
  }

  /// Pictures that are drawn, and the same as the release has them.
  private func pictures() throws {
    let drawn = try Self.pathfinder("\(folder)/data")
    try drawn.prepare { _ in }
    try drawn.export(to: "\(folder)/exported") { _ in }
  }

  /// The user's own sequences in each format.
  private func sequences() throws {
    var arrays = SafeTensors()
    arrays.add("labels", shape: [2], [0, 2] as [Int64])
    arrays.add("tokens", shape: [5], [3, 1, 4, 1, 5] as [Int32])
    arrays.add("offsets", shape: [3], [0, 3, 5] as [Int64])
    for split in ["train", "val", "test"] {
      try text("label\ttokens\n0\t3 1 4\n2\t15 9\n", "sequences/\(split).tsv")
      try text("label\ttext\nyes\tA é\nno\tb\n", "sequences/text/\(split).tsv")
      try bytes(arrays.serialized(), "sequences/arrays/\(split).safetensors")
    }
  }

  static func pathfinder(_ data: String) throws -> Pathfinder {
    try Pathfinder(TaskOptions(trainCount: 3, valCount: 2, testCount: 2, dataFolder: data))
  }

  private func text(_ text: String, _ name: String) throws { try bytes(Array(text.utf8), name) }

  private func bytes(_ bytes: [UInt8], _ name: String) throws {
    let path = "\(folder)/\(name)"
    try createFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
    try writeAtomically(bytes, to: path)
  }
}

/// A console that says nothing.
final class SilentConsole: Console {
  func printProgress(_ progress: TrainingProgress, evaluated: Bool) {}
  func printMessage(_ message: String) {}
  func finish() {}
}
