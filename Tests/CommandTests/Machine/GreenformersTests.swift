// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra report greenformers, lra cost bert")
struct GreenformersTests {
  @Test("Measures what is left, reports it, and measures nothing where all is there")
  func measurement() throws {
    try withScratchFolder { folder in
      let command =
        "report greenformers --widths 32 --lengths 16 --ranks 0.5 --projected 8 --layer-ranks none "
        + "--batch 1 --rounds 1 --threads 1 --output \(folder)/g"
      let dry = try CommandRunner.lra("\(command) --dry-run")
      #expect(dry.output.contains("measurements      6, to do: 6"), "\(dry.output)\(dry.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/g"))
      let first = try CommandRunner.lra(command)
      #expect(first.status == 0, "\(first.errors)")
      let log = "\(folder)/g/greenformers.jsonl"
      let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 6)
      #expect(first.output.contains("Models by length, E 32"), "\(first.output)")
      #expect(first.output.hasSuffix("report            \(folder)/g/report/index.html\n"))
      // Killed behind the fifth, and within the line of the sixth.
      let cut = lines.prefix(5).joined(separator: "\n") + "\n" + lines[5].prefix(30)
      try cut.write(toFile: log, atomically: true, encoding: .utf8)
      #expect(try CommandRunner.lra("\(command) --dry-run").output.contains("to do: 1,"))
      #expect(try CommandRunner.lra(command).status == 0)
      #expect(try CommandRunner.lra("\(command) --dry-run").output.contains("to do: 0,"))
      #expect(try CommandRunner.lra("\(command) --draw-only").status == 0)
    }
  }

  @Test(
    "What cannot be measured is refused before anything is",
    arguments: [
      ("--ranks 256", "--ranks: 256 saves nothing"), ("--ranks 1.5", "--ranks: 1.5 is neither"),
      ("--ranks x", "--ranks: \"x\""), ("--layer-ranks 400", "--layer-ranks: 400"),
      ("--projected 4096", "--projected: 4096"), ("--rounds 0", "--rounds is 0"),
      ("--grid FRX", "--grid"), ("--tdp none", "--tdp"), ("--widths 65", "--widths: 65"),
    ])
  func refusals(flags: String, text: String) throws {
    let run = try CommandRunner.lra("report greenformers --dry-run \(flags)")
    #expect(run.status == 64 && run.errors.contains(text), "\(run.errors)")
  }

  @Test("Nothing measured is nothing to draw or to take an efficiency from")
  func absent() throws {
    try withScratchFolder { folder in
      let drawn = try CommandRunner.lra("report greenformers --draw-only --output \(folder)/none")
      #expect(drawn.status == 66, "\(drawn.errors)")
      let cost = try CommandRunner.lra("cost bert --measured \(folder)/none")
      #expect(cost.status == 66 && cost.errors.contains("report greenformers --output"))
    }
  }

  @Test("The estimate is told with its assumptions, and as JSON")
  func cost() throws {
    let told = try CommandRunner.lra("cost bert --rank 128 --narrow-efficiency 0.55")
    #expect(told.status == 0, "\(told.errors)")
    for text in ["1,886–6,320", "3,751–12,571", "Assumptions", "Facts", "as given"] {
      #expect(told.output.contains(text), "\(text)")
    }
    let json = try CommandRunner.lra(
      "cost bert --rank 64,128 --share 0.4 --narrow-efficiency 1 --grid FRA --price 1 --json")
    let object = try json.object()
    let rows = try #require(object["rows"] as? [[String: Any]])
    #expect(
      rows.map { $0["name"] as? String } == ["dense", "64", "128", "share 0.4 (153 / 245)"])
    #expect(rows[0]["parameters"] as? Int == 109_482_240)
    #expect((object["assumptions"] as? [String])?.count ?? 0 > 5)
    let published = try #require(rows[1]["published"] as? [String: Any])
    let kilograms = try #require(published["kilograms"] as? [String: Any])
    let (low, high) = (kilograms["low"] as? Double ?? 0, kilograms["high"] as? Double ?? 0)
    #expect(low > 0 && low < high)
  }

  @Test(
    "Flags of the estimate that cannot be are refused under their names",
    arguments: [
      ("--rank 614", "--rank is 614"), ("--rank 0", "--rank"), ("--rank a", "--rank"),
      ("--share 1.5", "--share"), ("--narrow-efficiency 0", "--narrow-efficiency"),
      ("--grid FRQ", "did you mean FRA"), ("--price 2-1", "--price"), ("--pue 0.5", "--pue"),
      ("--sustained 0", "--sustained"),
    ])
  func costRefusals(flags: String, text: String) throws {
    let run = try CommandRunner.lra("cost bert \(flags)")
    #expect(run.status == 64 && run.errors.contains(text), "\(run.errors)")
  }
}
