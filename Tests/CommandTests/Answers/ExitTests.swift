// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra evaluate --exit")
struct ExitTests {
  @Test(
    "Examples leave by exits, kept apart; only validation and training answers choose a confidence")
  func exits() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      let four = ["--steps", "6", "--set", "model.layers=4"]
      #expect(try training.run("whole", four).status == 0)
      let exits = ["--set", "train.exits=mixed"]
      let fresh = try training.run("run", four + exits)
      #expect(fresh.status == 78 && fresh.errors.contains("train.initial=RUN"), "\(fresh.errors)")
      let trained = try training.run(
        "run", four + exits + ["--set", "train.initial=\(folder)/whole"])
      #expect(trained.status == 0, "\(trained.errors)")

      let run = "evaluate \(folder)/run"
      let whole = try CommandRunner.lra("\(run) --json").object()
      let never = try CommandRunner.lra("\(run) --exit 1 --json").object()
      #expect(never["accuracy"] as? Double == whole["accuracy"] as? Double)
      #expect(whole["exit"] == nil)
      let first = try CommandRunner.lra("\(run) --exit 0 --by depth --json").object()
      let summary = try #require(first["exit"] as? [String: Any])
      #expect(summary["mean_blocks"] as? Double == 1 && summary["confidence"] as? Double == 0)
      let counts = try #require(summary["exits"] as? [[String: Any]]).map { $0["count"] as? Int }
      #expect(counts == [40, 0, 0, 0])
      let ranges = try #require((first["by"] as? [String: Any])?["ranges"] as? [[String: Any]])
      #expect(ranges.allSatisfy { $0["mean_blocks"] as? Double == 1 })
      let files = FileManager.default
      #expect(files.fileExists(atPath: "\(folder)/run/predictions-test-best-exit-0.0.jsonl"))

      for (split, isEmpty) in [("test", true), ("val", false)] {
        let all = try CommandRunner.lra("\(run) --exit all --split \(split) --json").object()
        let summary = try #require(all["exit"] as? [String: Any])
        #expect((summary["thresholds"] as? [Any])?.isEmpty == isEmpty, "\(split)")
        #expect((summary["exits"] as? [Any])?.count == 4)
      }
      let tables = try CommandRunner.lra(
        "\(run) --exit all --by depth --split val --csv \(folder)/tables")
      #expect(tables.status == 0 && tables.output.contains("Accuracy by depth, levels and exit"))
      for name in ["exits", "confidences", "exits-by-depth"] {
        #expect(files.fileExists(atPath: "\(folder)/tables/\(name).csv"), "\(name)")
      }

      let chosen = try CommandRunner.lra(
        "compress \(folder)/run --exits 0.05 --output \(folder)/small --json")
      #expect(chosen.status == 0, "\(chosen.errors)")
      let small = try CommandRunner.lra("evaluate \(folder)/small --json").object()
      #expect((small["exit"] as? [String: Any])?["mean_blocks"] as? Double == 1)
      #expect(
        try CommandRunner.lra("evaluate \(folder)/small --exit none --json").object()["exit"] == nil
      )

      let steps = try CommandRunner.lra("compress \(folder)/run --exits 0.5 --steps 3")
      #expect(steps.status == 64 && steps.errors.contains("train first"), "\(steps.errors)")

      for (flags, text) in [
        ("\(folder)/run --exit 2", "a number from 0"),
        ("\(folder)/run --exit -1", "a number from 0"),
        ("\(folder)/run --exit x", "from 0"), ("\(folder)/run --exit nan", "from 0"),
        ("\(folder)/run --exit all --per-class", "several exits"),
        ("\(folder)/whole --exit 0.5", "train.exits=mixed"),
      ] {
        let refused = try CommandRunner.lra("evaluate \(flags)")
        #expect(
          refused.status == 64 && refused.errors.contains(text), "\(flags): \(refused.errors)")
      }
    }
  }
}
