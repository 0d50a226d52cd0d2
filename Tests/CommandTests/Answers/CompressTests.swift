// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

@Suite("lra compress")
struct CompressTests {
  /// A trained transformer of two blocks and four heads.
  private func withRun(_ body: (String, String) throws -> Void) throws {
    try withScratchFolder { folder in
      let settings = [
        "task.train-count=100", "task.val-count=40", "task.test-count=40", "train.eval-every=3",
        "train.checkpoint-every=3", "train.learning-rate=1e-3", "train.warmup=3",
      ]
      let run = try CommandRunner.run(
        CommandRunner.program,
        [
          "train", "--task", "listops", "--model", "transformer", "--steps", "6", "--length", "60",
          "--batch", "8", "--data", "\(folder)/data", "--output", "\(folder)/run", "--threads", "1",
        ] + settings.flatMap { ["--set", $0] })
      #expect(run.status == 0, "\(run.errors)")
      try body(folder, "\(folder)/run")
    }
  }

  private func bytes(_ run: String) throws -> Int {
    let file = URL(fileURLWithPath: "\(run)/model.safetensors").resolvingSymlinksInPath().path
    return try #require(
      FileManager.default.attributesOfItem(atPath: file)[.size] as? Int)
  }

  @Test("Pruned, then factorised, then trained on: every step is a run like others")
  func chain() throws {
    try withRun { folder, run in
      let before = try Data(contentsOf: URL(fileURLWithPath: "\(run)/model.safetensors"))
      let dry = try CommandRunner.lra("compress \(run) --dry-run")
      #expect(dry.status == 0 && dry.output.contains("positions"), "\(dry.errors)")
      for choice in [
        "--prune-heads 50%", "--prune-hidden 50%", "--drop-layers 1", "--factorise share=0.4",
        "--quantise int8", "model.positions=fixed", "model.tie-layers=all",
      ] { #expect(dry.output.contains(choice), "\(choice)") }

      let pruned = try CommandRunner.lra(
        "compress \(run) --prune-heads 25% --prune-hidden 50% --calibrate 16 --threads 1 --json")
      #expect(pruned.status == 0, "\(pruned.errors)")
      #expect(try pruned.object()["steps"] as? Int == 0)
      #expect(try bytes("\(run)-pruned") < bytes(run))

      let narrow = try CommandRunner.lra(
        "compress \(run)-pruned --factorise share=0.4 --data-aware --calibrate 16 --steps 4 "
          + "--set train.eval-every=2 --output \(folder)/small --threads 1")
      #expect(narrow.status == 0, "\(narrow.errors)")
      let config = try jsonObject(
        String(contentsOfFile: "\(folder)/small/config.json", encoding: .utf8))
      let notes = try #require(config["compress"] as? [String: Any])
      #expect(notes["method"] as? String == "prune+factorise")
      #expect(
        notes["numbers"] as? String
          == "prune heads=0.25 hidden=0.5; factorise share=0.4 data-aware")
      #expect(notes["source"] as? String == "\(run)-pruned" && notes["count"] as? Int == 16)
      #expect((notes["source-sha256"] as? String)?.count == 64)
      #expect(try bytes("\(folder)/small") < bytes("\(run)-pruned"))

      let bytes = try CommandRunner.lra(
        "compress \(folder)/small --quantise int8 --output \(folder)/bytes --threads 1")
      #expect(bytes.status == 0, "\(bytes.errors)")
      #expect(bytes.errors.contains("the same answer to"))
      #expect(try self.bytes("\(folder)/bytes") < self.bytes("\(folder)/small"))
      let last = "\(folder)/bytes/checkpoints/last"
      #expect(!FileManager.default.fileExists(atPath: "\(last)/optimizer.safetensors"))
      let speeds = try CommandRunner.lra(
        "bench \(run) \(folder)/bytes --steps 1 --threads 1 --json"
      ).objects()
      #expect(speeds.map { $0["precision"] as? String } == ["fp32", "int8"])

      let data = "--data \(folder)/data"
      for command in [
        "evaluate \(folder)/small --split val \(data)", "evaluate \(folder)/bytes \(data)",
        "train --resume \(folder)/bytes", "compare \(run) \(run)-pruned",
        "report \(folder)/small \(run) --output \(folder)/report",
        "train --resume \(folder)/small",
        "train --config \(folder)/small/config.json --steps 2 --output \(folder)/again \(data)",
      ] {
        let result = try CommandRunner.lra(command)
        #expect(result.status == 0, "\(command): \(result.errors)")
      }
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: "\(run)/model.safetensors")) == before)
    }
  }

  @Test("What does not apply, or does not go together, is refused with the reason")
  func refused() throws {
    try withRun { folder, run in
      for (flags, status, text) in [
        ("", 64, "nothing says how"), ("--prune-heads 100%", 64, "less than 100 %"),
        ("--prune-heads 0", 64, "more than 0 %"), ("--prune-heads x", 64, "--prune-heads x"),
        ("--prune-heads 10%", 64, "less than one"),
        ("--drop-layers 2", 64, "there is no such block"), ("--drop-layers 0,1", 64, "no block"),
        ("--factorise rank=1000", 78, "no map would become smaller"),
        ("--factorise rank", 64, "whole number"), ("--data-aware", 64, "--factorise is missing"),
        ("--factorise budget=1KiB", 78, "even with rank 1"),
        ("--factorise rank=2 --set model.width=3", 64, "only the training"),
        ("--factorise rank=2 --output \(run)", 73, "holds a run already"),
        ("--dry-run --steps 3", 64, "trains nothing"), ("--quantise int4", 64, "give int8"),
        ("--quantise int8 --steps 3", 64, "no gradients"),
        ("--weights-only", 64, "--quantise is missing"),
      ] {
        let result = try CommandRunner.lra("compress \(run) \(flags) --threads 1")
        #expect(
          Int(result.status) == status && result.errors.contains(text),
          "\(flags): \(result.status) \(result.errors)")
      }
      #expect(
        try CommandRunner.lra("compress \(run) --factorise rank=2 --output \(folder)/n").status == 0
      )
      for (flags, text) in [
        ("--factorise rank=1", "compressed by this method already"),
        ("--prune-hidden 50%", "prune first"),
      ] {
        let result = try CommandRunner.lra("compress \(folder)/n \(flags)")
        #expect(result.status == 64 && result.errors.contains(text), "\(result.errors)")
      }
      #expect(
        try CommandRunner.lra("compress \(folder)/n --quantise int8 --output \(folder)/b").status
          == 0)
      for (command, status, text) in [
        ("compress \(folder)/b --prune-hidden 50%", 64, "last of all"),
        ("compress \(folder)/b --quantise int8", 64, "by this method already"),
        (
          "train --config \(folder)/b/config.json --steps 5 --output \(folder)/c", 78,
          "no gradients"
        ),
      ] {
        let result = try CommandRunner.lra(command)
        #expect(
          Int(result.status) == status && result.errors.contains(text),
          "\(command): \(result.errors)")
      }
      // A damaged checkpoint, and one that somebody trains.
      let weights = "\(run)/checkpoints/best/model.safetensors"
      try Data([1, 2, 3]).write(to: URL(fileURLWithPath: weights))
      let damaged = try CommandRunner.lra("compress \(run) --factorise rank=2")
      #expect(damaged.status == 65, "\(damaged.errors)")
      let lock = try FileLock("\(folder)/n/.lock")
      let busy = try CommandRunner.lra("compress \(folder)/n --prune-hidden 50%")
      withExtendedLifetime(lock) {}
      #expect(busy.status == 69 && busy.errors.contains("still going on"), "\(busy.errors)")
    }
  }

  @Test("What its training means for a model is kept, or refused")
  func training() throws {
    try withScratchFolder { folder in
      func train(_ name: String, _ settings: String...) throws {
        let common = [
          "task.train-count=100", "task.val-count=40", "task.test-count=40", "train.warmup=1",
        ]
        let arguments =
          "train --task listops --model linear --steps 6 --length 60 --batch 8 --threads 1 --data "
          + "\(folder)/data --output \(folder)/\(name)"
        let run = try CommandRunner.lra(
          ([arguments] + (common + settings).map { "--set \($0)" }).joined(separator: " "))
        #expect(run.status == 0, "\(run.errors)")
      }
      try train("pretrained", "train.pretrain-epochs=1")
      let bytes = try CommandRunner.lra("compress \(folder)/pretrained --quantise int8 --json")
      #expect(bytes.status == 0, "\(bytes.errors)")
      #expect(try bytes.object()["pretraining"] as? String == "masked")

      try train("masked", "train.objective=masked")
      let blind = try CommandRunner.lra("compress \(folder)/masked --quantise int8")
      #expect(blind.status == 64 && blind.errors.contains("without labels"), "\(blind.errors)")

      try train("sparse", "train.prune=magnitude", "train.prune-share=0.5")
      let narrow = try CommandRunner.lra("compress \(folder)/sparse --factorise share=0.4")
      #expect(narrow.status == 64 && narrow.errors.contains("train.prune=magnitude"))
      #expect(try CommandRunner.lra("compress \(folder)/sparse --quantise int8").status == 0)
    }
  }
}
