// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("The document of runs")
struct RunsDocumentTests {
  @Test("Every file of a run, and every key in it, is described")
  func keys() throws {
    let document = try String(
      contentsOfFile: "\(CommandRunner.root)/docs/runs.md", encoding: .utf8)
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      #expect(try training.run("run", ["--steps", "8"]).status == 0)
      let run = training.path("run")
      for file in try FileManager.default.contentsOfDirectory(atPath: run) {
        let known = file.hasPrefix("events.out.tfevents.") || file.hasPrefix("predictions-")
        #expect(known || document.contains(file), "\(file)")
      }
      let checkpoint = "\(run)/checkpoints/last"
      let objects =
        ["\(run)/env.json", "\(run)/result.json", "\(run)/data.json"]
        + ["\(checkpoint)/trainer_state.json", "\(checkpoint)/COMPLETE"]
      let lines = ["\(run)/metrics.jsonl", "\(run)/predictions-test-best.jsonl"]
      for path in objects + lines {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let records = lines.contains(path) ? text.split(separator: "\n").map(String.init) : [text]
        for key in Set(try records.flatMap { try jsonObject($0).keys }) {
          let isDescribed = document.contains(key) || document.contains(pattern(of: key))
          #expect(isDescribed, "\(key) of \(path)")
        }
      }
    }
  }

  /// `throughput/{steps,samples,tokens}_per_sec` and `eval/` stand for several keys.
  private func pattern(of key: String) -> String {
    if key.hasPrefix("throughput/") { return "throughput/{steps,samples,tokens}_per_sec" }
    return "`\(key.prefix { $0 != "/" })/`"
  }
}
