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
    let names = series.names
    let rows = names.flatMap { name in series.lengths.map { (name, $0) } }
    let energies = rows.map { energy(series.median($0.0, $0.1, forward: false)) }
    let inferences = rows.map { energy(series.median($0.0, $0.1, forward: true)) }
    let hasEnergy = (energies + inferences).contains { $0 != .none }
    var table = ReportTable(
      id: "greenformers-\(series.width)", title: "Models by length, E \(series.width)",
      caption: "\(series.sizes); \(machine).",
      columns: [
        .text("model"), .number("length"), .number("training, ms"), .number("inference, ms"),
        .number("training, peak MiB"), .number("inference, peak MiB"), .number("weights, KiB"),
      ]
        + (hasEnergy
          ? [.number("training, kWh"), .number("inference, kWh"), .text("energy source")] : [])
        + (hasEnergy && terms.grid != nil
          ? [.number("training, kg"), .number("inference, kg")] : []),
      notes: [
        """
        a step of all examples, the median of \(rounds(series)) in turns; peak of the buffers, without the \
        program; weights: the file, 4 bytes each
        """
      ]
        + (hasEnergy
          ? [
            """
            kWh, and kg of CO2, of a million examples once in a training step or answered; \
            \(terms.grid.map { "grid \($0.name), " } ?? "")PUE \(terms.pue.text)
            """
          ] : []))
    for (place, (name, length)) in rows.enumerated() {
      let training = series.median(name, length, forward: false)
      let inference = series.median(name, length, forward: true)
      guard training != nil || inference != nil else { continue }
      var row = [Cell(name), Cell(formatCount(length), value: Double(length))]
      row += [training, inference].map { Cell($0.map { $0.stepS * 1e3 }, decimals: 1) }
      row += [training, inference].map { Cell($0?.result.peakTensorMib, decimals: 1) }
      row.append(Cell(series.fileBytes(name, length).map { Double($0) / 1024 }, decimals: 0))
      if hasEnergy {
        let both = [
          million(energies[place], training), million(inferences[place], inference),
        ]
        row += both.map { cell($0?.kilowattHours) }
        row.append(Cell(energies[place].source.rawValue))
        if terms.grid != nil { row += both.map { cell($0?.kilograms) } }
      }
      table.add(row)
    }
    return table
  }

  private func cell(_ amount: Uncertain?) -> Cell {
    amount.map { Cell($0.text, value: $0.value) } ?? .empty
  }

  /// The energy of a step.
  private func energy(_ median: GreenformersLog.Median?) -> EnergyEstimate {
    guard let median else { return .none }
    return terms.energy(
      seconds: median.stepS, counted: median.joules, threads: median.result.threads)
  }

  /// What a million examples amount to.
  private func million(_ step: EnergyEstimate, _ median: GreenformersLog.Median?) -> Footprint? {
    guard let median else { return nil }
    return terms.footprint(step / (Double(median.result.batch) / 1e6))
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
