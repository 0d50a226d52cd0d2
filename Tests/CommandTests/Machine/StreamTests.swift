// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What the shell gives the program: streams, names, numbers.
@Suite("Streams, paths and numbers of the command line")
struct StreamTests {
  /// Runs a line of the shell in a folder, with the program as `$lra`.
  private func shell(_ line: String, in folder: String) throws -> CommandResult {
    try CommandRunner.run(
      "/bin/sh", ["-c", "cd \"$0\" && lra=$1 && \(line)", folder, CommandRunner.program],
      environment: ["LRA_THREADS": "1"])
  }

  private static let sizes =
    "--task listops --model linear --length 40 --batch 4 --set model.layers=1 "
    + "--set model.width=16 --set model.heads=2 --set model.feed-forward=16 "
    + "--set task.train-count=64 --set task.val-count=8 --set task.test-count=8"

  private func train(_ run: String, _ rest: String) -> String {
    "$lra train \(Self.sizes) --output \(run) --steps 4 \(rest)"
  }

  @Test("What cannot be written ends with one line and a status of its own")
  func results() throws {
    try withScratchFolder { folder in
      for run in ["a", "b"] {
        #expect(try shell(train("runs/\(run)", ">/dev/full"), in: folder).status == 73)
      }
      let commands = [
        "list", "explain s4d", "evaluate runs/a", "compare runs/a runs/b", "top runs",
        "report runs",
        "data check listops --length 40 --train-count 64 --val-count 8 "
          + "--test-count 8",
        "--help", "train --resume runs/a --explain", "--generate-completion-script bash",
        "new", "advise --task listops --folder runs",
        "leaderboard --models linear --dry-run --speed none --output runs", "doctor --json",
      ]
      for command in commands.prefix(12) {
        for output in [">/dev/full", ">&-"] {
          let run = try shell("$lra \(command) \(output)", in: folder)
          #expect(run.status == 73, "\(command): \(run.errors)")
          let last = run.errors.split(separator: "\n").last ?? ""
          #expect(last.hasPrefix("error: cannot write standard output: "), "\(last)")
        }
        // A reader that leaves at once.
        let piped = try shell("{ $lra \(command); echo $? >&2; } | :", in: folder)
        let status = piped.errors.split(separator: "\n").last ?? ""
        #expect(["0", "73"].contains(status), "\(command): \(piped.errors)")
      }
    }
  }

  @Test("Training goes on without readers, and no message lands in its files")
  func readers() throws {
    try withScratchFolder { folder in
      _ = try shell("{ \(train("gone", "2>&1")); } | :", in: folder)
      _ = try shell(train("closed", "<&- >&- 2>&-"), in: folder)
      for run in ["gone", "closed"] {
        let status = try String(contentsOfFile: "\(folder)/\(run)/STATUS", encoding: .utf8)
        #expect(status == "done\n", "\(run)")
        let log = try String(contentsOfFile: "\(folder)/\(run)/metrics.jsonl", encoding: .utf8)
        for line in log.split(separator: "\n") { _ = try jsonObject(String(line)) }
      }
    }
  }

  @Test("Names of one letter, links and devices are written")
  func names() throws {
    try withScratchFolder { folder in
      #expect(try shell(train("r", ""), in: folder).status == 0)
      let lines = [
        "$lra evaluate r --predictions p && test -s p",
        "ln -s target l && $lra evaluate r --predictions l && test -L l && test -s target",
        "mkfifo f && { cat f >read & $lra evaluate r --predictions f; wait; test -p f; test -s read; }",
        "$lra report r --output o && test -s o/index.html",
        "(cd r && $lra report . --output . && test -s index.html)",
        "$lra evaluate r --predictions /dev/stdout >both && grep -q logits both && grep -q acc both",
        train("d/", "--data ./x"),
      ]
      for line in lines {
        let run = try shell(line, in: folder)
        #expect(run.status == 0, "\(line): \(run.errors)")
      }
    }
  }

  @Test(
    "Empty names and names that are not UTF-8 are wrong usage",
    arguments: [
      "train --resume ''", "train --output ''", "train --data ''", "train --config ''",
      "evaluate ''", "evaluate r --predictions ''", "predict r --input '' --output o",
      "predict r --input i --output ''", "report ''", "report --output ''", "compare '' r",
      "top ''",
      "leaderboard --output ''", "leaderboard --data ''", "data make listops --data ''",
      "data export listops --output ''", "reproduce --results ''", "reproduce --publish ''",
      "advise --task listops --folder ''", "evaluate \"$(printf 'a\\377')\"",
    ])
  func emptyNames(arguments: String) throws {
    try withScratchFolder { folder in
      let run = try shell("$lra \(arguments)", in: folder)
      #expect(run.status == 64, "\(run.errors)")
      let isTold = ["is empty", "is not UTF-8"].contains { run.errors.contains($0) }
      #expect(isTold, "\(run.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }
  }

  @Test(
    "Numbers near the greatest are refused",
    arguments: [
      "steps", "batch", "length", "set model.width", "set model.layers", "set model.heads",
      "set model.head-width", "set model.feed-forward", "set model.head-hidden",
      "set task.train-count", "set train.warmup", "set train.eval-every", "threads",
    ])
  func numbers(flag: String) throws {
    try withScratchFolder { folder in
      let join = flag.hasPrefix("set") ? "=" : " "
      for value in [Int.max, 1 << 62, 1 << 40, Int.min] {
        let run = try shell(train("n", "--cost --\(flag)\(join)\(value)"), in: folder)
        // Steps in great numbers are only a matter of time.
        let isFine = run.status == 0 && value == 1 << 40
        #expect([64, 78].contains(run.status) || isFine, "\(value): \(run.errors)")
      }
    }
  }

  @Test("LRA_THREADS must be a number of threads")
  func threads() throws {
    for value in ["zero", "0", "-2", "99999999999"] {
      let run = try CommandRunner.lra("list", environment: ["LRA_THREADS": value])
      #expect(run.status == 64)
      #expect(run.errors.contains("LRA_THREADS: \"\(value)\""))
    }
  }
}
