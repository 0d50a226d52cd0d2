// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra bench")
struct BenchTests {
  /// A cell that takes milliseconds.
  private let tiny = "bench --batch 2 --emb 16 --heads 2 --layers 1 --mlp 32 --vocab 20 --steps 2"

  private static let peerNames = [
    "model", "length", "batch", "emb", "heads", "layers", "mlp", "step_s", "min_s",
    "tokens_per_s", "peak_rss_mib", "params", "threads", "compile",
  ]

  @Test("prints a JSON line for each model and length, named as the peer script's")
  func jsonLines() throws {
    let run = try CommandRunner.lra(
      "\(tiny) --model linear,transformer --length 32,64 --threads 1 --json")
    #expect(run.status == 0)
    let cells = try run.objects()
    #expect(
      cells.map { $0["model"] as? String } == ["linear", "linear", "transformer", "transformer"])
    #expect(cells.map { $0["length"] as? Int } == [32, 64, 32, 64])
    for cell in cells {
      let ours = ["forward", "flops", "gflops_per_s", "peak_tensor_mib", "page_faults_per_step"]
      for name in Self.peerNames + ours { #expect(cell[name] != nil, "\(name)") }
      #expect(cell["batch"] as? Int == 2)
      #expect(cell["threads"] as? Int == 1)
      #expect(cell["compile"] as? Bool == false)
      let (step, fastest) = try (number(cell, "step_s"), number(cell, "min_s"))
      #expect(fastest > 0 && fastest <= step)
      let speed = try number(cell, "flops") / step / 1e9
      #expect(abs(try number(cell, "gflops_per_s") - speed) < 0.05 * speed + 0.01)
      #expect(try number(cell, "peak_rss_mib") < 500)
    }
  }

  @Test("share of peak is the ratio of the two speeds")
  func shareOfPeak() throws {
    let run = try CommandRunner.lra("\(tiny) --model linear --length 64 --json")
    let cell = try #require(try run.objects().first)
    guard let peak = cell["sgemm_gflops_per_s"] as? Double else { return }  // without OpenBLAS
    let share = try number(cell, "gflops_per_s") / peak
    #expect(abs(try number(cell, "mfu") - share) < 0.001)
  }

  @Test("inference counts fewer operations than a step")
  func forwardOnly() throws {
    let arguments = "\(tiny) --model transformer --length 64 --json"
    let step = try #require(try CommandRunner.lra(arguments).objects().first)
    let forward = try #require(try CommandRunner.lra("\(arguments) --forward").objects().first)
    #expect(forward["forward"] as? Bool == true)
    #expect(step["forward"] as? Bool == false)
    #expect(try 2 * number(forward, "flops") < number(step, "flops"))
  }

  @Test("pairs take twice the tokens, and a wider classifier")
  func towers() throws {
    let arguments = "\(tiny) --model linear --length 64 --json"
    let one = try #require(try CommandRunner.lra(arguments).objects().first)
    let two = try #require(try CommandRunner.lra("\(arguments) --towers 2").objects().first)
    #expect(one["towers"] as? Int == 1 && two["towers"] as? Int == 2)
    #expect(try number(two, "params") - number(one, "params") == 3 * 16 * 32)
    #expect(try number(two, "flops") > 1.9 * number(one, "flops"))
  }

  @Test("a setting reaches the model that has it")
  func setting() throws {
    let run = try CommandRunner.lra(
      "\(tiny) --model linear,linformer --length 64 --set model.projected=8 --json")
    #expect(run.status == 0)
    let cells = try run.objects()
    try #require(cells.count == 2)
    // One layer with projections of keys and of values, each [8, 64].
    #expect(try number(cells[1], "params") - number(cells[0], "params") == 2 * 8 * 64)
  }

  @Test("a failing cell says why, and the others go on")
  func failingCell() throws {
    let run = try CommandRunner.lra("\(tiny) --model linformer,linear --length 64 --json")
    #expect(run.status == 1)
    let cells = try run.objects()
    try #require(cells.count == 2)
    #expect((cells[0]["error"] as? String)?.contains("model.projected") == true)
    #expect(cells[0]["step_s"] == nil)
    #expect(try number(cells[1], "step_s") > 0)
  }

  @Test("a cell that crashes leaves a line with its error")
  func crashingCell() throws {
    let run = try CommandRunner.run(
      "/bin/sh",
      [
        "-c", "ulimit -c 0; ulimit -v 2000000; exec \"$0\" \"$@\" 2>/dev/null",
        CommandRunner.program, "bench", "--model", "linear", "--length", "100000", "--batch", "64",
        "--threads", "1", "--json",
      ], environment: ["SWIFT_BACKTRACE": "enable=no"])
    #expect(run.status == 1)
    let cell = try #require(try run.objects().first)
    #expect((cell["error"] as? String)?.contains("signal") == true)
  }

  @Test("takes turns: ready after the first step, then a measurement for every line")
  func turns() throws {
    let turns = "printf '\\n\\n' | \"$0\" \(tiny) --model linear --length 64 --turns"
    let run = try CommandRunner.run("/bin/sh", ["-c", turns, CommandRunner.program])
    #expect(run.status == 0)
    #expect(run.output.hasPrefix("\n{"))
    let rounds = try run.objects()
    try #require(rounds.count == 2)
    for name in ["flops", "params", "peak_rss_mib"] {
      #expect(try number(rounds[0], name) == number(rounds[1], name), "\(name)")
    }
    for round in rounds { #expect(try number(round, "step_s") > 0) }
    let several = try CommandRunner.lra("bench --turns --model linear,luna")
    #expect(several.status == 64)
    #expect(several.errors.contains("--turns"))
  }

  @Test("without --json the results stand in a table")
  func table() throws {
    let run = try CommandRunner.lra("\(tiny) --model linear --length 32,64")
    #expect(run.status == 0)
    #expect(run.lines.count == 3)
    #expect(run.lines.first?.hasPrefix("model") == true)
    let columns = run.lines.map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    #expect(columns[1].prefix(2) == ["linear", "32"])
    #expect(columns[2].prefix(2) == ["linear", "64"])
    #expect(Set(run.lines.map(\.count)).count == 1)
  }

  @Test("the profile names the operations, on standard error")
  func profile() throws {
    let run = try CommandRunner.lra("\(tiny) --model transformer --length 64 --json --profile")
    #expect(try run.objects().count == 1)
    for name in ["GFLOP/s", "attention backward", "outside operations"] {
      #expect(run.errors.contains(name), "\(name)")
    }
  }

  @Test(
    "a wrong flag is named, with status 64",
    arguments: [
      ("--batch -1", "--batch"), ("--batch 0", "--batch"), ("--length 0", "--length"),
      ("--length 64,-2", "--length"), ("--length 64,,", "--length"), ("--length long", "--length"),
      ("--emb 65 --heads 2", "--emb"), ("--heads 0", "--heads"), ("--layers 0", "--layers"),
      ("--mlp -1", "--mlp"), ("--classes 0", "--classes"), ("--vocab 1", "--vocab"),
      ("--towers 3", "--towers"), ("--steps 0", "--steps"), ("--threads 0", "--threads"),
      ("--model linfromer", "linformer"),
      ("--stepz 3", "--steps"), ("--batch many", "--batch"),
    ])
  func wrongFlag(flags: String, named: String) throws {
    let run = try CommandRunner.lra("bench \(flags)")
    #expect(run.status == 64)
    #expect(run.errors.contains(named))
    #expect(run.output.isEmpty)
  }

  @Test(
    "a wrong setting is explained, with status 78",
    arguments: [
      ("model.projectd=8", "model.projected"), ("typo=1", "typo"),
      ("model.projected=many", "integer"), ("model.projected", "section.key=value"),
      ("model.name=fnet", "model.name"), ("model.norm=none", "layer, batch or batch-after"),
    ])
  func wrongSetting(assignment: String, told: String) throws {
    let run = try CommandRunner.lra("bench --model linformer --set \(assignment)")
    #expect(run.status == 78)
    #expect(run.errors.contains(told))
    #expect(run.output.isEmpty)
  }

  private func number(_ cell: [String: Any], _ name: String) throws -> Double {
    try #require((cell[name] as? NSNumber)?.doubleValue, "\(name)")
  }
}
