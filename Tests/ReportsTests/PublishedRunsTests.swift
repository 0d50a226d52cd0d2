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
      let row = { (figure: String) in "| \(figure) | 37.25 % | [s1](../Tasks/Results/run-s1) |" }
      for good in ["37.0 ± 1.5 %", "37.0 %"] {
        #expect(published.unexplained(in: row(good)).isEmpty)
      }
      // Another run has it, and both together do.
      for wrong in ["35.0 ± 1.5 %", "35.0 %", "36.0 %"] {
        #expect(published.unexplained(in: row(wrong)) == [wrong])
      }
      #expect(published.unexplained(in: row("36.0 % [s0](Tasks/Results/run-s0)")).isEmpty)
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
      let target = try PublishedRuns.publish(RunRecord(run), to: "\(folder)/published")
      let all = try FileManager.default.contentsOfDirectory(atPath: target).map {
        try String(contentsOfFile: "\(target)/\($0)", encoding: .utf8)
      }.joined()
      #expect(!all.contains("secret"))
      #expect(!all.contains("/home"))
      let copy = try RunRecord(target)
      #expect(copy.result?.dataSource == "read from data/listops/x.tsv")
      #expect(
        try copy.settings.entries.map(\.value) == RunRecord(run).settings.entries.map(\.value))
      #expect(try copy.validation == RunRecord(run).validation)
    }
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
