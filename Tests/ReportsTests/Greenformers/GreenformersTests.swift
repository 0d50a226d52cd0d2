// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Reports
import Testing
import Training

@Suite("Greenformers' claims")
struct GreenformersTests {
  private func grid(
    widths: [Int] = [64], lengths: [Int] = [256, 512, 1024],
    ranks: [GreenformersGrid.Rank] = [.share(0.5)], projected: [Int] = [256],
    layerRanks: [Int] = [64, 128]
  ) -> GreenformersGrid {
    GreenformersGrid(
      widths: widths, lengths: lengths, ranks: ranks, projected: projected, layerRanks: layerRanks,
      batch: 8)
  }

  /// A measurement that nobody made.
  private func record(
    _ cell: GreenformersCell, seconds: Double, mebibytes: Double = 1, weights: Int = 1000,
    round: Int = 0, flops: Double? = nil, processor: String = "Test"
  ) -> GreenformersRecord {
    GreenformersRecord(
      cell: cell, round: round,
      result: BenchmarkResult(
        processor: processor, model: cell.model, length: cell.length, batch: cell.batch, towers: 1,
        emb: cell.width, heads: cell.heads, layers: cell.layers, mlp: cell.feedForward,
        stepS: seconds, minS: seconds, tokensPerS: 1, peakRssMib: 10, params: weights, threads: 1,
        forward: cell.forward, flops: Int(flops ?? cell.flops), gflopsPerS: 1,
        peakTensorMib: mebibytes, sgemmGflopsPerS: nil, mfu: nil, pageFaultsPerStep: 0))
  }

  @Test("Every model of a width meets the others at each length, training and inference apart")
  func cells() throws {
    let comparisons = try grid(
      widths: [64, 256], ranks: [.share(0.5), .rank(40)], projected: [64, 512]
    ).comparisons()
    // Two widths, three lengths, twice; and the layer at 128 and 512.
    #expect(comparisons.count == 2 * 3 * 2 + 2)
    // At 256 tokens nothing is projected to 512, and rank 40 saves nothing at width 64.
    #expect(comparisons[0].map(\.name) == ["transformer", "lowrank 0.5", "linformer K 64"])
    #expect(
      comparisons[11].map(\.name) == [
        "transformer", "lowrank 0.5", "lowrank r 40", "linformer K 64", "linformer K 512",
      ])
    #expect(comparisons[11].allSatisfy { $0.forward && $0.heads == 4 && $0.feedForward == 512 })
    let layer = try #require(comparisons.last)
    #expect(layer.map(\.name) == ["transformer", "lowrank r 64", "lowrank r 128"])
    #expect(layer.allSatisfy { $0.width == 768 && $0.feedForward == 3072 && $0.length == 512 })
    #expect(
      layer[1].arguments(steps: 3, threads: 1).joined(separator: " ")
        == "bench --cell --model lowrank --length 512 --batch 8 --emb 768 --mlp 3072 --heads 12 "
        + "--layers 1 --steps 3 --threads 1 --set model.rank=64")
  }

  @Test("What no cell can be is refused")
  func refusals() {
    let wrong: [(GreenformersGrid, String)] = [
      (grid(ranks: [.rank(32)]), "--ranks: 32"), (grid(layerRanks: [384]), "--layer-ranks: 384"),
      (grid(projected: [2048]), "--projected: 2048"), (grid(widths: [200]), "--widths: 200"),
    ]
    for (grid, text) in wrong {
      let error = #expect(throws: UserError.self) { try grid.comparisons() }
      #expect(error?.kind == .usage && error?.problem.contains(text) == true, "\(text)")
    }
  }

  @Test("Medians are over the rounds, of one processor, and a round is known again")
  func log() throws {
    let cell = try grid().comparisons()[0][0]
    var other = record(cell, seconds: 9)
    other.result.processor = "Other"
    let log = GreenformersLog(
      [other] + [3.0, 1, 2].enumerated().map { record(cell, seconds: $1, round: $0) })
    #expect(log.processor == "Test" && log.threads == 1 && log.records.count == 3)
    #expect(log.medians[cell]?.stepS == 2 && log.medians[cell]?.rounds == 3)
    #expect(log.has(cell, round: 2) && !log.has(cell, round: 3))
    #expect(GreenformersLog([other], processor: "Test").records.isEmpty)
    let line = try SnakeCaseJSON.encoded(other, oneLine: true)
    let read = try SnakeCaseJSON.checked(GreenformersRecord.self, from: line)
    #expect(read.cell == cell && read.result == other.result)
  }

  @Test("η follows from the times of a layer, and lra cost takes it")
  func efficiency() throws {
    let layer = try #require(
      try grid().comparisons().last { $0[0].part == .layer && $0[0].length == 128 })
    let dense = layer[0]
    let products = 6 * Double(EncoderShape.bertBase.mapValues(.dense)) * 32 * 128
    #expect(layer.allSatisfy { $0.batch == 32 })
    let share = 0.95
    let flops = products / share
    // ρ is a quarter at rank 128, an eighth at 64.
    let records = [
      record(dense, seconds: 2, flops: flops),
      record(layer[1], seconds: 2 * (0.05 + 0.95 / 8 / 0.9), flops: flops / 5),
      record(layer[2], seconds: 2 * (0.05 + 0.95 / 4 / 0.8), flops: flops / 3),
    ]
    let measured = try #require(LayerEfficiency(GreenformersLog(records), length: 128))
    #expect(measured.rows.map(\.rank) == [64, 128])
    for (row, wanted) in zip(measured.rows, [0.9, 0.8]) {
      #expect(abs(try #require(row.efficiency) - wanted) < 1e-6)
    }
    #expect(LayerEfficiency(GreenformersLog(records), length: 512) == nil)
    try withScratchFolder { folder in
      let lines = try records.map {
        String(decoding: try SnakeCaseJSON.encoded($0, oneLine: true), as: UTF8.self) + "\n"
      }
      try Data(lines.joined().utf8).write(
        to: URL(fileURLWithPath: "\(folder)/\(GreenformersLog.fileName)"))
      let found = try #require(NarrowEfficiency(folder: folder, processor: "Test"))
      #expect(abs(found(96) - 0.85) < 1e-6)
      #expect(found.words.contains("Test, 1 thread, 1 round, in \(folder)"))
      #expect(NarrowEfficiency(folder: folder, processor: "Other") == nil)
      #expect(NarrowEfficiency(folder: "\(folder)/none", processor: "Test") == nil)
    }
  }

  /// Times that cross: of full attention quadratic, of Linformer linear, of low rank a part of the first.
  private func records(
    crossing: Double, processor: String = "Test"
  ) throws -> [GreenformersRecord] {
    try grid(layerRanks: []).comparisons().flatMap(\.self).map { cell in
      let length = Double(cell.length)
      let seconds =
        switch cell.model {
        case "linformer": crossing * length
        case "lowrank": length * length
        default: length * length * 1.1
        }
      let weights = ["linformer": 3000, "lowrank": 500][cell.model] ?? 1000
      return record(
        cell, seconds: seconds, mebibytes: length, weights: weights, processor: processor)
    }
  }

  @Test("A crossing at 512 tokens makes the first claim hold, another one says where it is")
  func verdicts() throws {
    let verdicts = { (crossing: Double) in
      try withScratchFolder { folder in
        let report = GreenformersReport(
          GreenformersLog(try records(crossing: crossing)), EnergyTerms(), folder: folder)
        _ = try report.write(to: folder)
        return try String(contentsOfFile: "\(folder)/greenformers-claims.csv", encoding: .utf8)
          .split(separator: "\r\n").map(String.init)
      }
    }
    let holds = try verdicts(512)
    #expect(holds.contains { $0.contains("training time, E 64\",holds,") }, "\(holds)")
    #expect(holds.contains { $0.contains("linformer K 256 before lowrank 0.5: from about 512") })
    #expect(holds.contains { $0.contains("\"memory of training, E 64\",later or never,") })
    #expect(holds.contains { $0.contains("weight file at 512 tokens, E 64\",holds,") })
    // Without the layer there is nothing to say of the third.
    #expect(!holds.contains { $0.contains("BERT") })
    #expect(try verdicts(300).contains { $0.contains("training time, E 64\",earlier,") })
    #expect(try verdicts(900).contains { $0.contains("training time, E 64\",later,") })
  }

  @Test(
    "The report has its page, its tables and plots in numbers, and energy where a power is stated")
  func report() throws {
    try withScratchFolder { folder in
      let terms = try EnergyTerms(
        tdp: "65", grid: "WORLD", pue: nil, price: nil, environment: [:])
      let here = GreenformersLog(
        try records(crossing: 512, processor: RunEnvironment.cpuModel))
      let report = GreenformersReport(here, terms, folder: folder)
      let page = try report.write(to: "\(folder)/report")
      let html = try String(contentsOfFile: page, encoding: .utf8)
      #expect(html.contains("training time, E 64") && html.contains("<svg"))
      let csv = try String(contentsOfFile: "\(folder)/report/greenformers-64.csv", encoding: .utf8)
      #expect(csv.contains("\"training, kWh\",\"inference, kWh\",energy source,\"training, kg\""))
      #expect(csv.contains("linformer K 256,512,") && csv.contains(",model,"))
      #expect(report.text.contains("lowrank 0.5 before transformer"))
      // The power is this machine's, not that of one that measured elsewhere.
      let elsewhere = GreenformersLog(try records(crossing: 512))
      #expect(!GreenformersReport(elsewhere, terms, folder: folder).text.contains("kWh"))
    }
  }
}
