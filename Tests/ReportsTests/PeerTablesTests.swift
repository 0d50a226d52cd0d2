// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Reports
import Testing

/// A line of `peers.jsonl`: PyTorch takes `ratio` times the seconds that we take at 1,024 tokens.
private func line(
  _ model: String, _ ratio: Double, compiled: Double? = nil, seconds: Double = 1, threads: Int = 1,
  forward: Bool = false, first: Double? = nil, processor: String = "Some CPU", batch: Int = 8,
  bytes: (fp32: Double, bf16: Double, peer: Double)? = nil
) throws -> String {
  let own = try SnakeCaseJSON.encoded(
    syntheticSpeed(model, seconds, 1, lengths: [1024])[0], oneLine: true)
  let peer = { (ratio: Double) in
    #"{"step_s": \#(ratio * seconds), "peak_rss_mib": 812.4, "params": 7, "threads": 1, "torch": "2.0"}"#
  }
  let floats = try bytes.map { bytes in
    let own = try [("fp32", bytes.fp32), ("bf16", bytes.bf16)].map { name, ratio in
      let result = try SnakeCaseJSON.encoded(
        syntheticSpeed(model, ratio * seconds, 1, lengths: [1024])[0], oneLine: true)
      return "\"own_\(name)\": \(String(decoding: result, as: UTF8.self)), "
    }
    return own.joined() + "\"precision\": \"int8\", \"peer_fp32\": \(peer(bytes.peer)), "
  }
  return """
    {"shape": "narrow", "model": "\(model)", "length": 1024, "batch": \(batch), "threads": \(threads), \
    "forward": \(forward), \(floats ?? "")"processor": "\(processor)", "peer": \(peer(ratio)), \
    \(compiled.map { "\"compiled\": \(peer($0)), " } ?? "")\
    \(first.map { "\"first_s\": {\"own\": \($0), \"peer\": 4.5}, " } ?? "")"own": \
    \(String(decoding: own, as: UTF8.self))}
    """
}

/// The log of these lines.
private func log(_ lines: [String]) throws -> PeerLog {
  try withScratchFolder { folder in
    try lines.joined(separator: "\n").write(
      toFile: "\(folder)/peers.jsonl", atomically: true, encoding: .utf8)
    return PeerLog([folder, "\(folder)/none"])
  }
}

@Suite("Tables beside PyTorch")
struct PeerTablesTests {
  @Test("A cell is the median of the rounds, with their range, share of peak, and memory")
  func cells() throws {
    let log = try log([
      try line("linear", 2), try line("linear", 2.5), try line("linear", 1.5),
      try line("linformer", 8), try line("linear", 3, forward: true),
    ])
    let tables = PeerTables(log.rounds).all
    #expect(
      tables.map(\.id) == [
        "peers-training-some-cpu", "peers-inference-some-cpu", "peers-memory-some-cpu",
      ])
    let training = tables[0]
    #expect(training.columns.map(\.title) == ["model", "narrow, L 1024, 1 thread"])
    #expect(training.rows[0].map(\.text) == ["linear", "2.00x (1.50–2.50), 50 %"])
    #expect(training.rows[1].map(\.text) == ["linformer", "8.00x, 50 %"])
    #expect(training.rows[2].map(\.text) == ["geometric mean", "4.00x"])
    #expect(training.caption.contains("Some CPU; PyTorch 2.0; batch 8"))
    #expect(training.caption.contains("narrow: E 64, H 2, 2 layers, F 128"))
    #expect(tables[1].rows.map { $0[1].text } == ["3.00x, 50 %", "3.00x"])
    #expect(tables[2].rows[0].map(\.text) == ["linear", "100 / 812"])
    #expect(
      PeerTables(log.rounds).commands == [
        "make bench-peers ARGS=\"--shape narrow --length 1024 --threads 1\"",
        "make bench-peers ARGS=\"--shape narrow --length 1024 --threads 1 --forward\"",
      ])
  }

  @Test("Rounds of int8 have a table of their own, with floats on both sides, by batch")
  func bytes() throws {
    let log = try log([
      try line("linear", 1.5, forward: true, batch: 1, bytes: (2, 1.25, 3)),
      try line("linear", 2.5, forward: true, batch: 32, bytes: (2.5, 1.5, 2)),
    ])
    #expect(log.problems.isEmpty)
    let tables = PeerTables(log.rounds)
    #expect(tables.all.map(\.id) == ["peers-int8-some-cpu"])
    #expect(
      tables.all[0].rows.map { $0.map(\.text) } == [
        ["linear", "narrow, L 1024, 1 thread, int8, batch 1", "1.50x", "3.00x", "2.00x", "1.25x"],
        ["linear", "narrow, L 1024, 1 thread, int8, batch 32", "2.50x", "2.00x", "2.50x", "1.50x"],
      ])
    #expect(
      tables.commands.last
        == "make bench-peers ARGS=\"--shape narrow --length 1024 --threads 1 --forward "
        + "--precision int8 --batch 32\"")
  }

  @Test("Machines have tables of their own, and the command that measured on both is said once")
  func machines() throws {
    let lines = try [line("linear", 2), line("linear", 3, processor: "Another CPU")]
    let tables = PeerTables(try log(lines).rounds)
    #expect(tables.commands.count == 1)
    let training = tables.all.filter { $0.title.hasSuffix("training") }
    #expect(training.map { $0.rows[0][1].text } == ["3.00x, 50 %", "2.00x, 50 %"])
  }

  @Test("The range is the rounds' middle half: one of four is left out on either side")
  func middleHalf() throws {
    let lines = try [9, 2, 3, 1.5, 2.5].map { try line("linear", $0) }
    let table = try PeerTables(log(lines).rounds).all[0]
    #expect(table.rows[0][1].text == "2.50x (2.00–3.00), 50 %")
  }

  @Test("The time to the first step is the median of the rounds that have it")
  func firstStep() throws {
    let lines = try [nil, 0.25, 0.75, 0.5].map { try line("linear", 2, first: $0) }
    let tables = try PeerTables(log(lines + [line("luna", 2)]).rounds).all
    let table = try #require(tables.first { $0.id == "peers-first-some-cpu" })
    #expect(table.rows.map { $0.map(\.text) } == [["linear", "0.50 / 4.50"], ["luna", ""]])
    #expect(try PeerTables(log([line("luna", 2)]).rounds).all.count == 2)
  }

  @Test("The faster one of PyTorch counts, where every round has both")
  func compiled() throws {
    let text = { (lines: [String]) in
      try PeerTables(log(lines).rounds).all[0].rows[0][1].text
    }
    #expect(try text([line("linear", 3, compiled: 2)]) == "2.00x, 50 %")
    #expect(try text([line("linear", 3, compiled: 4)]) == "3.00x, 50 %")
    #expect(
      try text([line("linear", 3, compiled: 2), line("linear", 3)]) == "3.00x (3.00–3.00), 50 %")
    #expect(
      try PeerTables(log([line("linear", 3, compiled: 2)]).rounds).commands == [
        "make bench-peers ARGS=\"--shape narrow --length 1024 --threads 1 --compile\""
      ])
  }

  @Test("What is faster is decided within rounds, since the machine changes between them")
  func fasterWithinRounds() throws {
    let rounds = try [
      line("linear", 2, compiled: 3), line("linear", 2, compiled: 3, seconds: 10),
      line("linear", 9, compiled: 1),
    ]
    #expect(try PeerTables(log(rounds).rounds).all[0].rows[0][1].text.hasPrefix("2.00x"))
  }

  @Test("Figures of a text that were not measured for their model are found")
  func unexplained() throws {
    let tables = PeerTables(
      try log([try line("linear", 2), try line("linear", 4), try line("linformer", 1.5)]).rounds)
    let text = """
      | model | narrow | peak MiB |
      |---|---|---|
      | linear | 3.00x (2.00–4.00), 50 % | 100 / 812 |
      | linear | 3.00x, 50 % | 100 / 813 |
      | linformer | 3.00x, 50 % | – |
      | linformer | 1.50x | growth L^1.12 |
      | geometric mean | 2.12x | |
      | geometric mean | 2.22x | |
      linear 9.99x
      """
    #expect(
      tables.unexplained(in: text) == [
        "linear: 100 / 813", "linformer: 3.00x, 50 %", "geometric mean: 2.22x",
      ])
  }

  @Test("A line that is no round is named, the others count")
  func damaged() throws {
    let log = try log([try line("linear", 2), "{\"shape\": 1}", try line("linear", 3)])
    #expect(log.rounds.count == 2)
    #expect(log.problems.count == 1)
    #expect(
      log.problems.first?.hasSuffix(
        "line 2 is no round of make bench-peers: shape is of another kind") == true)
  }
}
