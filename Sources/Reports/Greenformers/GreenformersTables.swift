// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine

/// The tables of Greenformers' questions: what was measured, where models cross, and what of the claims holds.
struct GreenformersTables {
  private typealias Cell = ReportTable.Cell

  private let log: GreenformersLog
  private let terms: EnergyTerms
  private let series: [GreenformersSeries]
  private let folder: String

  /// - Parameter folder: where the log lies, to be named.
  init(_ log: GreenformersLog, _ terms: EnergyTerms, folder: String) {
    self.log = log
    self.terms = terms
    self.folder = folder
    series = GreenformersSeries.all(log)
  }

  /// All tables with a row.
  var all: [ReportTable] {
    ([GreenformersClaims(series, log, folder: folder).table, crossings] + series.map(models)
      + [layer]).filter { !$0.rows.isEmpty }
  }

  /// The machine in words.
  var machine: String {
    [log.processor, log.threads.map { counted($0, "thread") }].compactMap(\.self)
      .joined(separator: ", ")
  }

  // MARK: Models by length

  private func models(_ series: GreenformersSeries) -> ReportTable {
    let cells = series.names.flatMap { name in series.lengths.map { (name, $0) } }
    let rows = cells.map { Step(series, $0.0, $0.1) }.filter {
      $0.training != nil || $0.inference != nil
    }
    let hasEnergy = rows.contains { energy($0.training) != .none || energy($0.inference) != .none }
    var table = ReportTable(
      id: "greenformers-\(series.width)", title: "Models by length, E \(series.width)",
      caption: "\(series.sizes); \(machine).",
      columns: [
        .text("model"), .number("length"), .number("training, ms"), .number("inference, ms"),
        .number("training, peak MiB"), .number("inference, peak MiB"), .number("weights, KiB"),
      ] + (hasEnergy ? energyColumns : []),
      notes: [
        """
        a step of all examples, the median of \(rounds(series)) in turns; peak of the buffers, without the \
        program; weights: the file, 4 bytes each
        """
      ] + (hasEnergy ? [energyNote] : []))
    for row in rows {
      let both = [row.training, row.inference]
      table.add(
        [Cell(row.name), Cell(formatCount(row.length), value: Double(row.length))]
          + both.map { Cell($0.map { $0.stepS * 1e3 }, decimals: 1) }
          + both.map { Cell($0?.result.peakTensorMib, decimals: 1) }
          + [Cell(row.fileBytes.map { Double($0) / 1024 }, decimals: 0)]
          + (hasEnergy ? energyCells(both) : []))
    }
    return table
  }

  /// A model at a length.
  private struct Step {
    let name: String
    let length: Int
    let training: GreenformersLog.Median?
    let inference: GreenformersLog.Median?
    let fileBytes: Int?

    init(_ series: GreenformersSeries, _ name: String, _ length: Int) {
      (self.name, self.length) = (name, length)
      training = series.median(name, length, forward: false)
      inference = series.median(name, length, forward: true)
      fileBytes = series.fileBytes(name, length)
    }
  }

  // MARK: Energy

  private var energyColumns: [ReportTable.Column] {
    [.number("training, kWh"), .number("inference, kWh"), .text("energy source")]
      + (terms.grid == nil ? [] : [.number("training, kg"), .number("inference, kg")])
  }

  private var energyNote: String {
    """
    kWh, and kg of CO2, of a million examples once in a training step or answered; \
    \(terms.grid.map { "grid \($0.name), " } ?? "")PUE \(terms.pue.text)
    """
  }

  /// Of training and inference.
  private func energyCells(_ steps: [GreenformersLog.Median?]) -> [ReportTable.Cell] {
    let energies = steps.map(energy)
    let footprints = zip(steps, energies).map { step, energy in
      step.flatMap { terms.footprint(energy / (Double($0.result.batch) / 1e6)) }
    }
    let cell = { (amount: Uncertain?) in
      amount.map { Cell($0.text, value: $0.value) } ?? Cell.empty
    }
    let source = energies.first { $0 != .none } ?? .none
    return footprints.map { cell($0?.kilowattHours) } + [Cell(source.source.rawValue)]
      + (terms.grid == nil ? [] : footprints.map { cell($0?.kilograms) })
  }

  /// The energy of a step; by the power that is stated only where this machine measured it.
  private func energy(_ median: GreenformersLog.Median?) -> EnergyEstimate {
    guard let median, median.joules != nil || log.processor == RunEnvironment.cpuModel else {
      return .none
    }
    return terms.energy(
      seconds: median.stepS, counted: median.joules, threads: median.result.threads)
  }

  private func rounds(_ series: GreenformersSeries) -> String {
    let all = series.names.flatMap { name in
      series.lengths.flatMap { length in
        [false, true].compactMap { series.median(name, length, forward: $0)?.rounds }
      }
    }
    let (least, most) = (all.min() ?? 0, all.max() ?? 0)
    return least == most ? counted(least, "round") : "\(rangeText(least...most)) rounds"
  }

  // MARK: Where models cross

  private var crossings: ReportTable {
    let measures = GreenformersSeries.Measure.all
    var table = ReportTable(
      id: "greenformers-crossings", title: "From which length it pays", caption: "\(machine).",
      columns: [.text("question"), .number("E")] + measures.map { .text($0.name) },
      notes: [
        """
        from: between two measured lengths interpolated on logarithmic scales; K: the length that keys \
        and values are projected to; the number behind lowrank: r, or its share of the rank that saves \
        nothing
        """
      ])
    for series in series {
      let linformers = series.names(of: "linformer")
      let narrow = series.names(of: "lowrank")
      let pairs =
        linformers.flatMap { name in (["transformer"] + narrow).map { (name, $0) } }
        + narrow.map { ($0, "transformer") }
      for (name, other) in pairs {
        let cells = measures.map { measure in
          Cell(series.crossing(name, before: other, measure)?.text ?? "")
        }
        guard cells.contains(where: { !$0.text.isEmpty }) else { continue }
        table.add(
          [Cell("\(name) before \(other)"), Cell("\(series.width)", value: Double(series.width))]
            + cells)
      }
    }
    return table
  }

  // MARK: A layer of BERT-base's sizes

  private var layer: ReportTable {
    let layers = PretrainingPlan.bert.phases.compactMap {
      LayerEfficiency(log, length: $0.length)
    }
    let ranks = Set(layers.flatMap { $0.rows.map(\.rank) }).sorted()
    var table = ReportTable(
      id: "greenformers-layer", title: "One layer of BERT-base's sizes, a training step",
      caption: "E 768, F 3,072, H 12, \(formatCount(layerTokens)) tokens a step; \(machine).",
      columns: [.text("rank")]
        + layers.flatMap { layer in
          ["ms", "of dense", "FLOP of dense", "η"].map { .number("L \(layer.length), \($0)") }
        },
      notes: [
        """
        η: the speed of narrow products relative to dense ones, from time = (1 − a) + a·ρ/η with a the \
        maps' share of operations; lra cost bert takes that of L 128
        """
      ])
    guard !layers.isEmpty else { return table }
    table.add(
      [Cell("dense")]
        + layers.flatMap { layer in
          [
            Cell(layer.denseSeconds * 1e3, decimals: 1), Cell(1, decimals: 2), Cell(1, decimals: 2),
            .empty,
          ]
        })
    for rank in ranks {
      table.add(
        [Cell("\(rank)", value: Double(rank))]
          + layers.flatMap { layer -> [Cell] in
            guard let row = layer.rows.first(where: { $0.rank == rank }) else {
              return Array(repeating: .empty, count: 4)
            }
            return [
              Cell(row.seconds * 1e3, decimals: 1), Cell(row.timeRatio, decimals: 2),
              Cell(row.flopRatio, decimals: 2), Cell(row.efficiency, decimals: 2),
            ]
          })
    }
    return table
  }

  private var layerTokens: Int {
    log.medians.keys.first { $0.part == .layer }.map { $0.batch * $0.length } ?? 0
  }
}
