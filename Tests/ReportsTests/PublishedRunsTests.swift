// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Reports
import Testing

@Suite("Published runs")
struct PublishedRunsTests {
  @Test("Figures of runs and of seeds are known, others are not")
  func figures() throws {
    try withScratchFolder { folder in
      for (seed, correct) in [(0, 350), (1, 370)] {
        try SyntheticRun(seed: seed, correct: correct).write(to: "\(folder)/run-s\(seed)")
      }
      let published = try PublishedRuns(folder)
      // 35.0 and 37.0; their mean 36.0 with √(0.0152² + 0.0141² / 2) = 1.8 %.
      let text = "35.0 ± 1.5 %, 37.0 ± 1.5 %, 36.0 ± 1.8 %, 36.1 ± 1.5 % and 1.50x"
      #expect(published.unexplained(in: text) == ["36.1 ± 1.5 %"])
      let row = { (figure: String) in
        "| \(figure) | 37.25 % | [s1](results/report/runs.md#run-s1) |"
      }
      for good in ["37.0 ± 1.5 %", "37.0 %"] {
        #expect(published.unexplained(in: row(good)).isEmpty)
      }
      // In a text with links, a line without one states nothing.
      #expect(
        published.unexplained(in: row("37.0 %") + "\n37.0 ± 1.5 %, not 20.0 %") == ["37.0 ± 1.5 %"])
      // Another run has it, and both together do.
      for wrong in ["35.0 ± 1.5 %", "35.0 %", "36.0 %"] {
        #expect(published.unexplained(in: row(wrong)) == [wrong])
      }
      #expect(
        published.unexplained(in: row("36.0 % [s0](docs/results/report/runs.md#run-s0)")).isEmpty)
    }
  }

  @Test("Publishing keeps what reproduces a run, without names of machines and places")
  func publish() throws {
    try withScratchFolder { folder in
      let run = "\(folder)/mine"
      try SyntheticRun().write(to: run)
      var environment = RunEnvironment(threads: 1)
      environment.host = "secret"
      environment.command = ["/home/me/lra", "train", "--data", "/home/me/data"]
      let encoder = JSONEncoder()
      encoder.keyEncodingStrategy = .convertToSnakeCase
      try encoder.encode(environment).write(to: URL(fileURLWithPath: "\(run)/env.json"))
      let result = try String(contentsOfFile: "\(run)/result.json", encoding: .utf8)
      try result.replacingOccurrences(of: "made up", with: "read from /home/me/listops/x.tsv")
        .write(
          toFile: "\(run)/result.json", atomically: false, encoding: .utf8)
      let published = "\(folder)/published"
      let target = try PublishedRuns.publish(RunRecord(run), to: published)
      let all = try String(contentsOfFile: "\(published)/runs.jsonl", encoding: .utf8)
      #expect(!all.contains("secret") && !all.contains("/home"))
      let (copy, original) = try (RunRecord(target), RunRecord(run))
      #expect(copy.result?.dataSource == "read from data/listops/x.tsv")
      #expect(copy.settings.entries.map(\.value) == original.settings.entries.map(\.value))
      #expect(copy.validation == original.validation && copy.training == original.training)
      #expect(copy.changedKeys == original.changedKeys && copy.folder == nil)
      let rows = { try ReportData(folders: [$0]).tables.map(\.rows) }
      #expect(try rows(published) == rows(run))
    }
  }

  @Test("A run that is published again takes the place of the first; other lines keep their bytes")
  func publishAgain() throws {
    try withScratchFolder { folder in
      let file = "\(folder)/published/runs.jsonl"
      for name in ["b", "a", "c"] {
        try SyntheticRun().write(to: "\(folder)/\(name)")
        _ = try PublishedRuns.publish(RunRecord("\(folder)/\(name)"), to: "\(folder)/published")
      }
      let before = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
      #expect(
        before.map { $0.prefix(11) } == ["{\"name\":\"a\"", "{\"name\":\"b\"", "{\"name\":\"c\""])
      try SyntheticRun(correct: 500).write(to: "\(folder)/b")
      _ = try PublishedRuns.publish(RunRecord("\(folder)/b"), to: "\(folder)/published")
      let after = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
      #expect(after.count == 3 && after[0] == before[0] && after[2] == before[2])
      #expect(try RunRecord("\(file)#b").accuracy == 0.5)
      let collection = try RunCollection([file])
      #expect(collection.runs.map(\.name) == ["a", "b", "c"] && collection.problems.isEmpty)
      let unknown = #expect(throws: UserError.self) { try RunRecord("\(file)#bb") }
      #expect(unknown?.problem.contains("there is no run bb") == true)
      let several = #expect(throws: UserError.self) { try RunRecord(file) }
      #expect(several?.remedy == "of a file of runs name one: \(file)#NAME")
    }
  }

  @Test(
    "A line that is no run is told with the file and its number, and nothing is written beside it")
  func damaged() throws {
    try withScratchFolder { folder in
      try SyntheticRun().write(to: "\(folder)/a")
      let file = try #require(
        PublishedRuns.publish(RunRecord("\(folder)/a"), to: folder).split(separator: "#").first)
      let good = try String(contentsOfFile: String(file), encoding: .utf8)
      for (line, fault) in [
        (good, "there is another a above"), ("{\"name\":\"b\"}", "has no result"), ("?", "JSON"),
        (good.replacingOccurrences(of: "\"step\":[25", with: "\"step\":[1,25"), "have 4, 3 and 3"),
        (
          good.replacingOccurrences(of: "\"name\":\"a\"", with: "\"name\":\"\""),
          "name is empty"
        ),
      ] {
        try (good + "\n" + line).write(
          toFile: String(file), atomically: false, encoding: .utf8)
        let collection = try RunCollection([String(file)])
        #expect(collection.runs.map(\.name) == ["a"])
        let problem = try #require(collection.problems.first)
        #expect(problem.hasPrefix("\(file): line 3 is no run: ") && problem.contains(fault))
        #expect(throws: UserError.self) { try PublishedRuns(String(file)) }
        #expect(throws: UserError.self) {
          try PublishedRuns.publish(RunRecord("\(folder)/a"), to: folder)
        }
      }
    }
  }

  @Test("Every run has a heading in the document of runs, which its links name")
  func document() throws {
    let data = ReportData(runs: [try SyntheticRun().record()])
    let files = try Report(data).files(date: Date())
    let document = try #require(files.first { $0.name == "runs.md" }).content
    let text = String(decoding: document, as: UTF8.self)
    #expect(text.hasPrefix("# Runs\n\n## listops-linformer-s0\n\n"))
    #expect(text.contains("| test, best checkpoint | 40.0 % ± 1.5 %, loss 1.5000 nats |"))
    #expect(text.contains("| val, last checkpoint | 40.0 % ± 1.5 %, loss 1.5000 nats |"))
    #expect(text.contains(" steps/s on 1 thread |"))
    #expect(text.contains("| val accuracy, % (step) | 25.0 (25), 50.0 (50), 10.0 (100) |"))
  }

  @Test("A run done again is exact, within the error, or different")
  func reproduction() throws {
    let published = try #require(SyntheticRun(correct: 400).record().result)
    let again = { (correct: Int) in
      Reproduction(
        published: published, again: try #require(SyntheticRun(correct: correct).record().result))
    }
    #expect(try again(400) == .exact)
    // Two errors of the difference are 2 · √2 · 1.55 = 4.4 points.
    guard case .withinError(let near) = try again(430) else { throw Unexpected() }
    #expect(abs(near - 3) < 1e-9)
    guard case .different(let far) = try again(300) else { throw Unexpected() }
    #expect(abs(far + 10) < 1e-9)
  }

  private struct Unexpected: Error {}
}
