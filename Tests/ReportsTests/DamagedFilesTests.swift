// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Reports
import Tasks
import Testing
import Training

@Suite("Damaged files of runs and measurements")
struct DamagedFilesTests {
  /// A file, what is written into it, and what the report has to say of it.
  private static let damages: [(file: String, content: String, remark: String)] = [
    ("a/result.json", "{\"task\":1}", "a/result.json: task is of another kind"),
    ("a/result.json", "{}", "a/result.json: has no task"),
    ("a/config.json", #"{"a":{"b.c":1},"a.b":{"c":2}}"#, "a.b.c occurs twice"),
    ("a/config.json", #"{"a":{"b":1,"b":2}}"#, "b occurs twice"),
    ("a/config.json", #"{"a":{"b":1e999}}"#, "1e999 is too large"),
    (
      "a/metrics.jsonl", #"{"step":-5,"eval/accuracy":0.5,"eval/loss":1}"# + "\n",
      "metrics.jsonl: line 1 is no record: step is -5, not in 0.0 to"
    ),
    (
      "a/metrics.jsonl", "{}\n" + #"{"step":5,"eval/accuracy":3,"eval/loss":1}"# + "\n",
      "metrics.jsonl: line 2 is no record: eval/accuracy is 3.0, not in 0.0 to 1.0"
    ),
    ("speed.jsonl", "{\"model\":\"linear\"}\n", "speed.jsonl: line 1 is no measurement"),
    ("peers.jsonl", "\n[]\n", "peers.jsonl: line 2 is no round of make bench-peers"),
    (
      "a/predictions-test-best.jsonl",
      "{\"id\":0,\"label\":0,\"logits\":[0\(String(repeating: ",1", count: 60_000))],\"pred\":0}\n",
      "line 1 is no prediction: logits has 60001 scores, more than 256"
    ),
    (
      "a/predictions-test-best.jsonl",
      "{\"id\":0,\"label\":0,\"logits\":[\(String(repeating: "0,", count: 200_000))1],\"pred\":0}\n",
      "line 1 is no prediction: it has 400"
    ),
    (
      "a/predictions-test-best.jsonl",
      #"{"id":0,"label":0,"logits":[0,1],"pred":0}"# + "\n"
        + #"{"id":1,"label":0,"logits":[0,1,2],"pred":0}"#,
      "line 2 is no prediction: it has 3 scores, the first has 2"
    ),
  ]

  @Test("Each is a remark in the report, which is made of the rest", arguments: damages)
  func remarks(file: String, content: String, remark: String) throws {
    try withScratchFolder { folder in
      for name in ["a", "b"] { try SyntheticRun().write(to: "\(folder)/\(name)") }
      try content.write(toFile: "\(folder)/\(file)", atomically: false, encoding: .utf8)
      let data = try ReportData(folders: [folder])
      #expect(data.runs.contains { $0.name == "b" })
      #expect(data.problems.count == 1)
      #expect(data.problems.first?.contains(remark) == true, "\(data.problems)")
      _ = try Report(data).write(to: "\(folder)/report")
    }
  }

  @Test(
    "A number that cannot be computed with is named with its field",
    arguments: [
      ("\"length\":1024", "\"length\":0", "length"), ("\"step_s\":1", "\"step_s\":0", "step_s"),
      ("\"step_s\":1", "\"step_s\":1e300", "step_s"),
      ("\"peak_rss_mib\":100", "\"peak_rss_mib\":9223372036854775807", "peak_rss_mib"),
      ("\"flops\":1000000000", "\"flops\":-1", "flops"),
      ("\"peak_tensor_mib\":1", "\"peak_tensor_mib\":1e18", "peak_tensor_mib"),
    ])
  func fields(whole: String, broken: String, field: String) throws {
    let speed = syntheticSpeed("linear", 1, 1, lengths: [1024])[0]
    let line = String(decoding: try SnakeCaseJSON.encoded(speed, oneLine: true), as: UTF8.self)
    #expect(line.contains(whole))
    try withScratchFolder { folder in
      let changed = line.replacingOccurrences(of: whole, with: broken)
      try "\(line)\n\(changed)\n".write(
        toFile: "\(folder)/speed.jsonl", atomically: false, encoding: .utf8)
      let log = SpeedLog([folder])
      #expect(log.results.count == 1)
      #expect(log.problems.count == 1)
      #expect(
        log.problems.first?.contains("line 2 is no measurement of lra bench --json: \(field)")
          == true)
    }
  }

  @Test("A leaderboard's journal names lines that cannot be planned with, and plans with the rest")
  func journal() throws {
    try withScratchFolder { folder in
      let journal = try LeaderboardJournal(folder: folder)
      var entry = LeaderboardJournal.Entry(.measured, "kind")
      entry.cost = RunCost(
        stepSeconds: 1, validationSeconds: 1, testSeconds: 1, peakResidentBytes: .max, steps: 1,
        evalEvery: 1, threads: 1)
      try journal.write(entry)
      entry.cost?.peakResidentBytes = 1
      entry.cost?.evalEvery = 0
      try journal.write(entry)
      try journal.write(LeaderboardJournal.Entry(.done, "cell"))
      #expect(journal.costs(threads: 1).isEmpty)
      #expect(journal.entries().map(\.event) == [.done])
      #expect(journal.problems.count == 2)
      #expect(
        journal.problems[0].contains(
          "line 1 is no entry of a leaderboard: cost.peak_resident_bytes"))
      #expect(journal.problems[1].contains("line 2 is no entry of a leaderboard: cost.eval_every"))
    }
  }

  @Test("Trainings without steps are planned under a budget that is used up")
  func noSteps() throws {
    let item = LeaderboardPlan.Item(
      cell: LeaderboardCell(
        task: "listops", model: "linear", preset: "small", length: nil, seed: 0, assignments: []),
      cost: RunCost(
        stepSeconds: 1, validationSeconds: 1, testSeconds: 1, peakResidentBytes: 1, steps: 0,
        evalEvery: 1, threads: 1), state: .open)
    #expect(try LeaderboardPlan([item], budget: 0, jobs: 1).share == 1)
  }

  @Test("A number that JSON cannot hold is named")
  func infinite() {
    struct Value: Encodable {
      let meanLoss: [Double]
    }
    let error = #expect(throws: UserError.self) {
      try SnakeCaseJSON.encoded(Value(meanLoss: [1, .infinity]))
    }
    #expect(error?.problem == "mean_loss.1 is inf, which JSON cannot hold")
    #expect(ReportTable.Cell(1.0 / 0, decimals: 1) == .empty)
  }

  @Test("A plot of absurd numbers leaves them out")
  func plot() {
    let points = [(0.0, 1.0), (1, .nan), (2, .infinity), (3, 1e300), (1e308, 2), (4, -1e99)]
    let text = TextPlot([TextPlot.Curve(name: "x", points: points.map { (x: $0.0, y: $0.1) })]).text
    #expect(text.contains("*  x"))
    #expect(TextPlot([TextPlot.Curve(name: "x", points: [(x: .nan, y: 1)])]).text.isEmpty)
  }

  @Test("Buffers too small to be measured have no crossover")
  func nothingMeasured() {
    let speed = ["linformer", "lowrank"].flatMap { model in
      syntheticSpeed(model, 1, 1).map { cell in
        var cell = cell
        if model == "lowrank" { cell.peakTensorMib = cell.length == 1024 ? 0 : 1e6 }
        return cell
      }
    }
    let tables = ReportTables.all([], speed: speed)
    let crossover = tables.first { $0.id.hasPrefix("crossover") }
    #expect(crossover?.rows.first?.contains { $0.text == "from 2,048 or less" } == true)
  }
}
