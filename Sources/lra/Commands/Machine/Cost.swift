// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Machine
import Reports

/// `lra cost`: what trainings too large to be run here would cost.
struct Cost: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Estimate what a training too large for this machine would cost.",
    usage: "lra cost bert [OPTION ...]",
    discussion: "lra cost bert --rank 128",
    subcommands: [CostBert.self])
}

/// `lra cost bert`: the pretraining of BERT-base with narrow maps, from the published cost of the dense one.
struct CostBert: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bert",
    abstract: "Estimate BERT-base with maps of low rank: time, money, energy and CO2.",
    usage: "lra cost bert [OPTION ...]",
    discussion: """
      lra cost bert
      lra cost bert --rank 128 --narrow-efficiency 0.55 --grid FRA --json

      Estimates of Greenformers' third claim, that low-rank maps make the development of BERT-base \
      30 % cheaper. Everything that is assumed is printed with it.
      """)

  @Option(parsing: .unconditional, help: "Ranks, separated by commas. Default: 64 to 256.")
  var rank: String?
  @Option(
    parsing: .unconditional,
    help: "Also ranks as shares of those at which nothing is saved, separated by commas.")
  var share: String?
  @Option(
    parsing: .unconditional,
    help: """
      Speed of narrow products relative to dense ones. Default: as lra report greenformers measured it \
      on this machine, else 0.55.
      """)
  var narrowEfficiency: Double?
  @Option(
    help: "The folder with that measurement. Default: runs/greenformers.", completion: .file(),
    transform: pathArgument)
  var measured: String?
  @Option(parsing: .unconditional, help: "Energy of the building for each unit of the machine's.")
  var pue = "1.58"
  @Option(help: "The grid: kg of CO2 a kWh, or a country such as FRA.")
  var grid = "0.433"
  @Option(parsing: .unconditional, help: "Dollars an hour of a GPU, or a range.")
  var price = "0.74-2.48"
  @Option(
    parsing: .unconditional, help: "TFLOP/s that a GPU sustains, for the second estimate.")
  var sustained = 30.0
  @Flag(help: "Print the estimate as JSON.")
  var json = false

  func run() throws {
    let terms = try EnergyTerms(tdp: nil, grid: grid, pue: pue, price: price, environment: [:])
    guard let grid = terms.grid?.kilograms, let price = terms.price else { return }
    try require("--sustained", sustained, above: 0.001, atMost: 1e6)
    let cost = PretrainingCost.bert(
      PretrainingCost.Terms(
        efficiency: try efficiency(), pue: terms.pue, grid: grid, price: price,
        sustained: sustained * 1e12))
    let table = PretrainingCostTable(cost, try choices(below: cost.rankLimit))
    try printResult(json ? try jsonText(table) : table.text)
  }

  private func efficiency() throws -> NarrowEfficiency {
    if let narrowEfficiency {
      try require("--narrow-efficiency", narrowEfficiency, above: 0.01, atMost: 2)
      return .given(narrowEfficiency)
    }
    let folder = measured ?? ReportGreenformers.folder
    let found = NarrowEfficiency(folder: folder, processor: RunEnvironment.cpuModel)
    if found == nil, measured != nil {
      throw UserError(
        .missingInput,
        "--measured \(folder): holds no layer of BERT-base's sizes measured on this processor",
        remedy: "measure one: lra report greenformers --output \(shellQuoted(folder))")
    }
    return found ?? .usual
  }

  /// The rows, those of Greenformers' question where none are asked for.
  private func choices(below limit: Int) throws -> [RankChoice] {
    guard rank != nil || share != nil else {
      return [.rank(64), .rank(100), .rank(128), .share(0.4), .rank(192), .rank(256)]
    }
    let ranks = try rank.map { try integers("--rank", $0, atLeast: 1) } ?? []
    if let wrong = ranks.first(where: { $0 >= limit }) {
      throw UserError(
        .usage,
        "--rank is \(wrong), but two factors of that rank are larger than any map of BERT-base",
        remedy: "give a rank below \(limit); from 384 on only the feed-forward maps are narrow")
    }
    let shares = try share.map { try numbers("--share", $0, above: 0, atMost: 1) } ?? []
    return ranks.map { .rank($0) } + shares.map { .share($0) }
  }
}
