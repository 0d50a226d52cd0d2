// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

@Suite("The program and its Makefile")
struct ProgramTests {
  @Test("help names the commands and the topics")
  func help() throws {
    let run = try CommandRunner.lra("--help")
    #expect(run.status == 0)
    for text in ["bench", "data", "doctor", "list", "completion", "lra help TOPIC"] {
      #expect(run.output.contains(text), "\(text)")
    }
  }

  @Test("the completion script knows the commands")
  func completion() throws {
    let run = try CommandRunner.lra("--generate-completion-script bash")
    #expect(run.status == 0)
    #expect(run.output.contains("bench") && run.output.contains("--length"))
  }

  @Test("an unknown command ends with status 64")
  func unknownCommand() throws {
    let run = try CommandRunner.lra("trian")
    #expect(run.status == 64)
    #expect(run.output.isEmpty && !run.errors.isEmpty)
  }

  @Test("make lists its targets")
  func makeHelp() throws {
    let run = try make([])
    #expect(run.status == 0)
    for target in [
      "build", "test", "test-fast", "train", "evaluate", "bench", "bench-peers", "data", "doctor",
      "format", "lint", "size", "clean",
    ] { #expect(run.lines.contains { $0.hasPrefix("  \(target) ") }, "\(target)") }
  }

  @Test("make passes on the variables that are set, and only those")
  func makeTrain() throws {
    let all = try make([
      "-n", "train", "TASK=listops", "MODEL=linformer", "SEED=0", "PRESET=quick",
      "ARGS=--steps 100",
    ])
    #expect(
      all.lines.last
        == ".build/release/lra train --task 'listops' --model 'linformer' --preset 'quick' "
        + "--seed '0' --steps 100")
    let few = try make(["-n", "train", "TASK=listops", "MODEL=linear"])
    let words = few.lines.last?.split(separator: " ") ?? []
    #expect(words.dropFirst(2) == ["--task", "'listops'", "--model", "'linear'"])
    #expect(few.lines.contains { $0.contains("data-scripts/setup") })
  }

  @Test(
    "make passes a variable on as one word, whatever is in it",
    arguments: [
      (["evaluate", "RUN=a  b's $$(touch x); `y`"], "evaluate 'a  b'\\''s $(touch x); `y`'"),
      (["train", "TASK=listops", "MODEL=$$(x)"], "train --task 'listops' --model '$(x)'"),
      (["compare", "RUNS=a;b c"], "compare 'a;b' 'c'"), (["top", "RUNS=a b"], "top 'a b'"),
      (["data", "TASK=sequences", "FROM=my own"], "data make 'sequences'  --data 'my own'"),
      (["data", "TASK=text; x"], "data make 'text; x'"), (["evaluate"], "evaluate"),
    ])
  func makeQuotes(arguments: [String], command: String) throws {
    let run = try make(["-n"] + arguments)
    let last = run.lines.last?.trimmingCharacters(in: .whitespaces)
    #expect(last == ".build/release/lra \(command)", "\(run.errors)")
  }

  @Test(
    "set-up says which compiler it needs, with status 69",
    arguments: ["Swift version 5.10 (swift-5.10-RELEASE)", "Swift version 6.1.2 (x)", "nonsense"])
  func oldCompiler(version: String) throws {
    let run = try setup(compilerSaying: version)
    #expect(run.status == 69)
    #expect(run.errors.contains("6.2 or later"))
  }

  @Test(
    "set-up is silent when all is there",
    arguments: ["Swift version 6.2 (x)", "Apple Swift version 6.10 (x)", "Swift version 7.0 (x)"])
  func goodCompiler(version: String) throws {
    let run = try setup(compilerSaying: version)
    #expect(run.status == 0)
    #expect(run.output.isEmpty && run.errors.isEmpty)
  }

  @Test("tables align their columns")
  func tables() {
    #expect(formatTable([["a", "b"], ["long", "100"]]) == "a       b\nlong  100")
    #expect(formatTable([["a", "b"], ["long", "c"]], leading: 2) == "a     b\nlong  c")
    #expect(formatTable([["a"], ["b", "c"]]) == "a\nb  c")
    #expect([0, 999, 1000, -1_234_567].map(formatCount) == ["0", "999", "1,000", "-1,234,567"])
  }

  private func make(_ arguments: [String]) throws -> CommandResult {
    // Variables of the make that runs these tests are not for the one under test.
    let outer = [
      "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "TASK", "MODEL", "PRESET", "SEED", "ARGS", "RUN", "RUNS",
      "FROM",
    ]
    return try CommandRunner.run(
      "/usr/bin/env", outer.flatMap { ["-u", $0] } + ["make"] + arguments)
  }

  /// The shell writes the compiler: were it written here, processes that other tests start at that
  /// moment could hold it open, and a file that is open for writing cannot be run.
  private func setup(compilerSaying version: String) throws -> CommandResult {
    try withScratchFolder { folder in
      let script = """
        printf '#!/bin/sh\\necho "%s"\\n' "$1" > "$0/swift"
        chmod +x "$0/swift"
        PATH=$0:$PATH exec sh data-scripts/setup
        """
      return try CommandRunner.run("/bin/sh", ["-c", script, folder, version])
    }
  }
}
