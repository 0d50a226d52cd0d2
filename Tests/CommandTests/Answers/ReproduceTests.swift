// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra reproduce")
struct ReproduceTests {
  @Test("Every accuracy and ratio in the README was measured, and another one is found")
  func figures() throws {
    let good = try CommandRunner.lra("reproduce")
    #expect(good.status == 0, "\(good.errors)")
    #expect(good.lines.count == 1 && good.output.hasPrefix("every accuracy in README.md"))
    let commands = try CommandRunner.lra("reproduce --commands").lines
    #expect(commands.first == good.lines.first)
    #expect(commands.contains { $0.hasPrefix("lra train --task listops --model linformer") })
    #expect(commands.contains { $0.hasPrefix("make bench-peers ARGS=\"--shape narrow") })
    try withScratchFolder { folder in
      let text = "\(folder)/text.md"
      try "35.9 ± 1.1 % and 99.9 ± 0.1 %".write(toFile: text, atomically: false, encoding: .utf8)
      let wrong = try CommandRunner.lra("reproduce --text \(text)")
      #expect(wrong.status == 1)
      #expect(wrong.errors.hasPrefix("error: 1 figure without a run or measurement\n"))
      #expect(
        wrong.errors.contains(
          "no run in docs/results, or none that the line links, has 99.9 ± 0.1 %"))
      try "| linear | 99.99x, 1 % |".write(toFile: text, atomically: false, encoding: .utf8)
      let unmeasured = try CommandRunner.lra("reproduce --text \(text)")
      #expect(unmeasured.status == 1)
      #expect(unmeasured.errors.contains("docs/results/peers.jsonl has no linear: 99.99x, 1 %"))
    }
  }

  @Test("The published tables are what the published runs give")
  func tables() throws {
    try withScratchFolder { folder in
      let made = try CommandRunner.lra("report docs/results --output \(folder)/report")
      #expect(made.status == 0, "\(made.errors)")
      let published = "\(CommandRunner.root)/docs/results/report"
      for name in ["tables.md", "runs.md"] {
        #expect(
          try Data(contentsOf: URL(fileURLWithPath: "\(folder)/report/\(name)"))
            == Data(contentsOf: URL(fileURLWithPath: "\(published)/\(name)")), "\(name)")
      }
    }
  }

  @Test("A run is trained again as it was published, to the bit")
  func again() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      #expect(try training.run("mine").status == 0)
      let common = "--results \(folder)/results --data \(folder)/data"
      let published = try CommandRunner.lra(
        "reproduce --commands --publish \(training.path("mine")) --text LICENSE \(common)")
      #expect(published.status == 0, "\(published.errors)")
      #expect(
        published.output.contains(
          "--config \(folder)/results/runs.jsonl#mine --threads"), "\(published.output)")
      let again = try CommandRunner.lra("reproduce mine --run --output \(folder)/again \(common)")
      #expect(again.status == 0, "\(again.errors)")
      #expect(again.output.contains("exactly as published"))
      let unknown = try CommandRunner.lra("reproduce mind \(common)")
      #expect(unknown.status == 64)
      #expect(unknown.errors.contains("did you mean mine?"))
    }
  }
}
