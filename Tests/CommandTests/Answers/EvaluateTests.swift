// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra evaluate: own data, classes and lengths")
struct EvaluateTests {
  /// Tables of texts: those of class yes hold more of one letter.
  private func writeTexts(to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (split, count) in [("train", 40), ("test", 20)] {
      let lines = (0..<count).map { number in
        let word = number % 2 == 1 ? "yyyy" : "nnnn"
        return
          "\(number % 2 == 1 ? "yes" : "no")\t\(String(repeating: word, count: 1 + number % 7))\n"
      }
      try ("label\ttext\n" + lines.joined()).write(
        toFile: "\(folder)/\(split).tsv", atomically: false, encoding: .utf8)
    }
  }

  private func train(_ folder: String) throws -> CommandResult {
    try CommandRunner.lra(
      "train --task sequences --model linear --preset quick --steps 12 --batch 8 --data "
        + "\(folder)/my --output \(folder)/run --set train.eval-every=6 --set "
        + "train.checkpoint-every=6 --threads 1")
  }

  @Test("A user's own tables are checked, trained on, evaluated and reported without any Swift")
  func sequences() throws {
    try withScratchFolder { folder in
      try writeTexts(to: "\(folder)/my")
      let card = try CommandRunner.lra("data check sequences --data \(folder)/my")
      #expect(card.status == 0, "\(card.errors)")
      #expect(card.output.contains("2 classes, up to 28 tokens") && card.output.contains("1 yes"))
      let run = try train(folder)
      #expect(run.status == 0, "\(run.errors)")
      // What the data say is kept with the run, which can be used without them.
      try FileManager.default.moveItem(
        atPath: "\(folder)/my/test.tsv", toPath: "\(folder)/other.tsv")
      try FileManager.default.removeItem(atPath: "\(folder)/my")
      let evaluated = try CommandRunner.lra(
        "evaluate \(folder)/run --input \(folder)/other.tsv --per-class --by length --csv "
          + "\(folder)/tables")
      #expect(evaluated.status == 0, "\(evaluated.errors)")
      for text in [
        "input     \(folder)/other.tsv, 20 examples", "OTHER DATA than the run's", "F1, %",
        "Accuracy by length, tokens",
      ] { #expect(evaluated.output.contains(text), "\(text)") }
      let csv = try String(contentsOfFile: "\(folder)/tables/confusion.csv", encoding: .utf8)
      #expect(csv.hasPrefix("class,no,yes\r\nno,"))
      for name in ["classes", "by-length"] {
        #expect(FileManager.default.fileExists(atPath: "\(folder)/tables/\(name).csv"))
      }
      let report = try CommandRunner.lra("report \(folder)/run --output \(folder)/report")
      #expect(report.status == 0 && report.output.contains("rep"), "\(report.errors)")
    }
  }

  @Test("Examples of one's own need no other data, add up in JSON, and are kept apart")
  func listOps() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      #expect(try training.run("run", ["--steps", "4"]).status == 0)
      try FileManager.default.removeItem(atPath: "\(folder)/data")
      let lines = (0..<10).map { "[MAX \($0) [MIN 2 3 ] ]\t\(max($0, 2))\n" }.joined()
      try ("Source\tTarget\n" + lines + "5\t5\n").write(
        toFile: "\(folder)/my.tsv", atomically: false, encoding: .utf8)
      let command = "evaluate \(folder)/run --input \(folder)/my.tsv --json"
      let answer = try CommandRunner.lra("\(command) --per-class --by depth").object()
      #expect(answer["count"] as? Int == 11 && answer["data"] as? String == "other")
      #expect(answer["input"] as? String == "\(folder)/my.tsv" && answer["split"] == nil)
      let confusion = try #require(answer["confusion"] as? [[Int]])
      #expect(confusion.flatMap { $0 }.reduce(0, +) == 11)
      let by = try #require(answer["by"] as? [String: Any])
      let ranges = try #require(by["ranges"] as? [[String: Any]])
      #expect(ranges.map { $0["from"] as? Int } == [0, 2])
      #expect(ranges.map { $0["count"] as? Int } == [1, 10])
      let hash = try #require(answer["data_hash"] as? String)
      #expect(
        FileManager.default.fileExists(
          atPath: "\(folder)/run/predictions-input-best-data-\(hash).jsonl"))
    }
  }

  @Test("Flags that say two things, or nothing, are refused")
  func refused() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      #expect(try training.run("run", ["--steps", "0"]).status == 0)
      for (flags, text) in [
        ("--input x --split test", "both say what to evaluate"), ("--csv x", "none is asked for"),
      ] {
        let run = try CommandRunner.lra("evaluate \(folder)/run \(flags)")
        #expect(run.status == 64 && run.errors.contains(text), "\(run.errors)")
      }
      let missing = try CommandRunner.lra("evaluate \(folder)/run --input \(folder)/none.tsv")
      #expect(missing.status == 66 && missing.errors.contains("none.tsv"), "\(missing.errors)")
    }
  }
}
