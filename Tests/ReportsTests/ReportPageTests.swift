// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import FoundationXML
import Reports
import Testing

@Suite("The page of a report")
struct ReportPageTests {
  /// One of a report's pages.
  private func page(_ data: ReportData, _ name: String = "index.html") throws -> String {
    let files = try Report(data).files(date: Date(timeIntervalSince1970: 0))
    return String(
      decoding: try #require(files.first { $0.name == name }).content, as: UTF8.self)
  }

  private func expectWellFormed(_ page: String) {
    let text = page.replacingOccurrences(of: "<!DOCTYPE html>\n", with: "")
    let parser = XMLParser(data: Data(text.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError)), line \(parser.lineNumber)")
  }

  @Test("One run makes whole pages, with nothing from elsewhere")
  func single() throws {
    let data = ReportData(runs: [try SyntheticRun().record()])
    let (page, runs) = try (self.page(data), self.page(data, "runs.html"))
    #expect(runs.contains("listops-linformer-s0: 40.0 % ± 1.5 %"))
    #expect(runs.contains("Loss of listops-linformer-s0") && runs.contains("loss, nats"))
    #expect(page.contains("<a href=\"runs.html#run-0\">listops-linformer-s0</a>"))
    #expect(runs.contains("<details id=\"run-0\">"))
    for page in [page, runs] {
      expectWellFormed(page)
      for outside in ["http://", "https://", "<script", "<link", "@import", "url("] {
        let found = page.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
        #expect(!found.contains(outside), "\(outside)")
      }
    }
  }

  @Test("Accuracy by model and task stands on top, before plots and other tables")
  func order() throws {
    let runs = try [SyntheticRun(), SyntheticRun(model: "s4d")].map { try $0.record() }
    let page = try page(
      ReportData(runs: runs, speed: syntheticSpeed("s4d", 1, 1) + syntheticSpeed("fnet", 1, 1)))
    let places = try [
      "Accuracy by model and task, small</h2>", "Accuracy, speed and memory</h3>",
      "Speed and memory</h2>", "All runs</h2>",
    ].map { try #require(page.range(of: $0)?.lowerBound, "\($0)") }
    #expect(places == places.sorted())
  }

  @Test("Every plot names its curves, its marks have units, and a single evaluation is no plot")
  func plots() throws {
    var run = try SyntheticRun().record()
    let (page, runs) = try (
      self.page(ReportData(runs: [run])), self.page(ReportData(runs: [run]), "runs.html")
    )
    #expect(page.components(separatedBy: "class=\"legend\"").count == 2)
    #expect(runs.components(separatedBy: "class=\"legend\"").count == 3)
    #expect(runs.contains("<title>training: 100 steps, 1.25 nats</title>"))
    #expect(runs.contains("Over the steps of the run: training and val."))
    #expect(runs.contains("<title>val: 100 steps, 1.5 nats</title>"))
    #expect(page.contains("<title>linformer: 100 steps, 10 %</title>"))
    run.validation = Array(run.validation.prefix(1))
    let single = ReportData(runs: [run])
    #expect(try !self.page(single).contains("<figure>"))
    #expect(try !self.page(single, "runs.html").contains("Val accuracy of"))
  }

  @Test("Accuracies have their errors, seeds their points, chance its line, logarithms their name")
  func honest() throws {
    let runs = try (0..<3).map { try SyntheticRun(seed: $0, correct: 400 + 20 * $0).record() }
    let page = try page(
      ReportData(runs: runs + [try SyntheticRun(model: "s4d", correct: 410).record()]))
    let plot = try #require(page.components(separatedBy: "Accuracy, speed and memory</h3>").last)
      .components(separatedBy: "</svg>")[0]
    #expect(plot.components(separatedBy: "class=\"bar\"").count == 3)
    #expect(plot.components(separatedBy: "class=\"dot c").count == 4)
    #expect(plot.contains("class=\"level\"") && page.contains("</svg> chance, 20.0</li>"))
    #expect(plot.contains("training steps/s (log scale)"))
    #expect(plot.contains(": peak memory, MiB</text>"))
    // The two do not differ by more than their errors.
    #expect(!plot.contains("class=\"front\""))
  }

  @Test("A model that stands twice in a plot is told apart by its steps")
  func sameModel() throws {
    let runs = try [100, 4000].map {
      try SyntheticRun(seed: $0, steps: $0, changed: "train.steps").record()
    }
    let other = try SyntheticRun(model: "local", changed: "train.steps").record()
    let page = try page(ReportData(runs: runs + [other]))
    for name in ["linformer, 100 steps: ", "linformer, 4,000 steps: ", "local: "] {
      #expect(page.contains("<title>\(name)"), "\(name)")
    }
  }

  @Test("A thousand runs are all there, and their curves are left out")
  func thousand() throws {
    let run = try SyntheticRun().record()
    let runs = (0..<1000).map { number in
      var copy = run
      copy.name = "run number \(number)."
      copy.result?.seed = UInt64(number)
      return copy
    }
    let data = ReportData(runs: runs)
    let (page, list) = try (self.page(data), self.page(data, "runs.html"))
    for page in [page, list] { expectWellFormed(page) }
    #expect(runs.allSatisfy { page.contains($0.name) && list.contains($0.name) })
    #expect(list.contains("Curves are left out"))
    #expect(page.utf8.count < 1_000_000 && list.utf8.count < 8_000_000)
  }

  @Test("Names and values of any kind stay texts")
  func hostile() throws {
    var run = try SyntheticRun(changed: "train.note", extra: ["train.note": "<b>&\"'\u{1}"])
      .record()
    run.name = "</summary><script>alert(1)</script>"
    let page = try page(ReportData(runs: [run]), "runs.html")
    for page in [page, try self.page(ReportData(runs: [run]))] {
      expectWellFormed(page)
      #expect(!page.contains("<script"))
    }
    #expect(page.contains("&lt;/summary&gt;&lt;script&gt;"))
    #expect(page.contains("&lt;b&gt;&amp;&quot;'"))
  }

  @Test("Protocols have sections of their own, and plots hold what their tables say")
  func sections() throws {
    let runs = try [
      SyntheticRun(), SyntheticRun(model: "s4d", correct: 500),
      SyntheticRun(model: "fnet", changed: "task.length", length: 512),
    ].map { try $0.record() }
    let page = try page(ReportData(runs: runs))
    #expect(page.contains("ListOps, 2,000 tokens, small, n = 1</h2>"))
    #expect(page.contains("ListOps, 512 tokens, small, n = 1</h2>"))
    // One picture of accuracy and speed: a single model has none.
    #expect(page.components(separatedBy: "<h3>Accuracy, speed and memory</h3>").count == 2)
    #expect(page.components(separatedBy: "class=\"front\"").count == 1)
  }

  @Test("Headings of one task and length say what parts them, and only that")
  func headings() throws {
    let sources = ["made up, easy", "made up, hard", "made up, hard", "made up, hard"]
    let runs = try sources.enumerated().map { number, source in
      var run = try SyntheticRun(seed: number).record()
      run.result?.dataSource = source
      run.result?.dataHash = "\(number)abcdefghi"
      if number == 3 { run.result?.trainCount = 500 }
      return run
    }
    let data = ReportData(runs: runs)
    let page = try page(data)
    let start = "ListOps, 2,000 tokens, small, n = 1, "
    for end in [
      "96,000 training examples, easy", "96,000 training examples, hard, data 1abcdefg",
      "96,000 training examples, hard, data 2abcdefg", "500 training examples",
    ] {
      #expect(page.contains("\">\(start)\(end)</h2>"), "\(end)")
      #expect(data.tables.contains { $0.title == "Accuracy: \(start)\(end)" }, "\(end)")
    }
  }

  @Test("A later seed's confusion is shown where the first kept no answers")
  func confusionOfAnySeed() throws {
    try withScratchFolder { folder in
      for seed in 0..<3 { try SyntheticRun(seed: seed).write(to: "\(folder)/s\(seed)") }
      for seed in 1..<3 {
        try "{\"id\":0,\"label\":1,\"logits\":[0,1],\"pred\":1}\n".write(
          toFile: "\(folder)/s\(seed)/predictions-test-best.jsonl", atomically: false,
          encoding: .utf8)
      }
      let page = try page(ReportData(folders: [folder]))
      #expect(page.contains("<figcaption>linformer, seed 1</figcaption>"))
      #expect(page.components(separatedBy: ">true / predicted</th>").count == 2)
    }
  }

  @Test("It is the same byte by byte for the same date, and without runs there is a clear error")
  func reproducible() throws {
    let data = ReportData(runs: [try SyntheticRun().record()])
    #expect(try page(data) == page(data))
    try withScratchFolder { folder in
      let error = #expect(throws: UserError.self) { try ReportData(folders: [folder]) }
      #expect(error?.problem.hasSuffix("holds no run and no speed.jsonl") == true)
    }
  }

  @Test("A run that cannot be read is left out with the reason")
  func damaged() throws {
    try withScratchFolder { folder in
      try SyntheticRun().write(to: "\(folder)/a")
      try SyntheticRun().write(to: "\(folder)/deeper/b")
      try "{\"task\":".write(
        toFile: "\(folder)/deeper/b/result.json", atomically: false, encoding: .utf8)
      let data = try ReportData(folders: [folder])
      #expect(data.runs.map(\.name) == ["a"])
      #expect(data.problems.count == 1)
      #expect(data.problems[0].contains("deeper/b/result.json"))
    }
  }

  @Test("Absurd losses, names that are no file names and damaged answers stop nothing")
  func absurd() throws {
    try withScratchFolder { folder in
      try SyntheticRun().write(to: "\(folder)/a")
      let log = "{\"step\":1,\"time\":1,\"train/accuracy\":0.1,\"train/loss\":1e26}\n"
      try (log + log.replacingOccurrences(of: "1e26", with: "2e300")).write(
        toFile: "\(folder)/a/metrics.jsonl", atomically: false, encoding: .utf8)
      try "{\"id\":0,\"label\":-1,\"logits\":[0,1],\"pred\":200000}\n".write(
        toFile: "\(folder)/a/predictions-test-best.jsonl", atomically: false, encoding: .utf8)
      let preset = "x/../" + String(repeating: "y", count: 300)
      try SyntheticRun(preset: preset).write(to: "\(folder)/b")
      let data = try ReportData(folders: [folder])
      #expect(data.problems.count == 2)
      #expect(data.problems[0].contains("metrics.jsonl: line 2 is no record: train/loss is 2e+300"))
      #expect(data.problems[1].contains("line 1 is no prediction: label is -1"))
      let path = try Report(data).write(to: "\(folder)/report")
      expectWellFormed(try String(contentsOfFile: path, encoding: .utf8))
      #expect(FileManager.default.fileExists(atPath: "\(folder)/report/results.json"))
    }
  }
}
