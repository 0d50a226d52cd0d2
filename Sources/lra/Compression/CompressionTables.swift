// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Training

/// What `lra compress --dry-run` tells of a model: where its bytes are, what matters, and what would be
/// left.
struct CompressionTables {
  let run: String
  let file: String
  let model: Classifier
  /// Of the units of each branch, where it was measured.
  var importance: [String: [Double]] = [:]
  /// The mean cross-entropy of the measured examples.
  var loss: Double?
  /// The same without each block.
  var withoutBlocks: [(number: Int, loss: Double)] = []
  /// What the methods make of it.
  var outcome: Compression.Outcome?

  /// The same for programs.
  struct Summary: Encodable {
    struct Block: Encodable {
      let number: Int
      let loss: Double
    }

    let run: String
    let model: String
    let bytes: Int
    let parts: [WeightPart]
    let choices: [SizeChoice]
    let importance: [String: [Double]]
    let loss: Double?
    let withoutBlocks: [Block]
    let maps: [Factorising.Choice]
    let after: [WeightPart]?
    let bytesAfter: Int?
  }

  func summary() throws -> Summary {
    Summary(
      run: run, model: model.configuration.name, bytes: model.weightBytes,
      parts: model.weightParts, choices: try SizeChoice.all(for: model), importance: importance,
      loss: loss,
      withoutBlocks: withoutBlocks.map { .init(number: $0.number, loss: $0.loss) },
      maps: outcome?.choices ?? [], after: outcome?.model.weightParts,
      bytesAfter: outcome.map { $0.model.weightBytes })
  }

  /// All tables.
  func text() throws -> String {
    var parts = [
      "run      \(run): \(model.configuration.name)\nweights  \(file)",
      "Where the bytes are\n\n\(bytes)",
    ]
    if outcome == nil { parts.append("What single choices would leave\n\n\(try choices())") }
    if !importance.isEmpty { parts += try importances() }
    if !withoutBlocks.isEmpty { parts.append("Loss without a block\n\n\(blocks)") }
    if let choices = outcome?.choices, !choices.isEmpty {
      parts.append("Ranks\n\n\(maps(choices))")
    }
    return parts.joined(separator: "\n\n")
  }

  private var bytes: String {
    let parts = model.weightParts
    let after = outcome?.model.weightParts
    let all = model.weightBytes
    var rows = [["part", "values", "bytes", "share"] + (after == nil ? [] : ["after"])]
    for part in parts {
      let left = after.map { parts in
        [formatBytes(parts.first { $0.name == part.name }?.bytes ?? 0)]
      }
      rows.append(
        [
          part.name, formatCount(part.values), formatBytes(part.bytes),
          formatPercent(Double(part.bytes) / Double(max(all, 1))),
        ] + (left ?? []))
    }
    rows.append(
      ["all", formatCount(parts.reduce(0) { $0 + $1.values }), formatBytes(all), ""]
        + (outcome.map { [formatBytes($0.model.weightBytes)] } ?? []))
    return formatTable(rows)
  }

  /// What simple choices would leave.
  private func choices() throws -> String {
    let all = Double(model.weightBytes)
    return formatTable(
      [["choice", "by", "bytes", "of all"]]
        + (try SizeChoice.all(for: model)).map { choice in
          [
            choice.choice, choice.needsTraining ? "another training" : "lra compress",
            formatBytes(choice.bytes), formatPercent(Double(choice.bytes) / all),
          ]
        }, leading: 2)
  }

  private func importances() throws -> [String] {
    let units = try model.prunableUnits()
    var parts: [String] = []
    let heads = units.heads.compactMap { branch in
      importance[branch.place].map { values in
        [branch.place] + values.map { formatNumber("%.3f", $0) }
      }
    }
    if !heads.isEmpty {
      let most = heads.map(\.count).max() ?? 1
      let head = ["branch"] + (0..<most - 1).map { "\($0)" }
      parts.append(
        "Importance of heads, of the branch's norm\n\n"
          + formatTable([head] + heads.map { $0 + Array(repeating: "", count: most - $0.count) }))
    }
    let hidden = units.hidden.compactMap { branch in
      importance[branch.place].map { values in
        let sorted = values.sorted()
        let quantiles = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1].map { (share: Double) in
          sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
        }
        return [branch.place] + quantiles.map { formatNumber("%.4f", $0) }
      }
    }
    if !hidden.isEmpty {
      let head = ["branch", "least", "10 %", "25 %", "50 %", "75 %", "90 %", "most"]
      parts.append(
        "Importance of inner columns, quantiles of each branch\n\n" + formatTable([head] + hidden))
    }
    return parts
  }

  private var blocks: String {
    formatTable(
      [["without block", "loss"]] + [["none", formatNumber("%.4f", loss ?? .nan)]]
        + withoutBlocks.map { ["\($0.number)", formatNumber("%.4f", $0.loss)] })
  }

  private func maps(_ choices: [Factorising.Choice]) -> String {
    formatTable(
      [["map", "size", "limit", "rank", "energy"]]
        + choices.map { choice in
          [
            choice.path, "\(choice.outputs) × \(choice.inputs)", "\(choice.limit)",
            choice.rank.map { "\($0)" } ?? "dense", formatPercent(choice.energy),
          ]
        })
  }
}
