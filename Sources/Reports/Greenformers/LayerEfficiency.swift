// SPDX-License-Identifier: Apache-2.0

import Base

/// η as measured on a layer of BERT-base's sizes.
///
///     t_r / t = (1 − a) + a·ρ/η
///
/// t and t_r are the times of a training step, dense and with rank r; a is the share of the dense step's
/// operations in the six maps, ρ the narrow maps' operations relative to theirs. What norms and
/// activations cost beyond their operations counts against η.
package struct LayerEfficiency: Sendable {
  /// One rank at one length.
  package struct Row: Sendable {
    /// r.
    package let rank: Int
    /// Seconds of a step.
    package let seconds: Double
    /// Relative to the dense step.
    package let timeRatio: Double
    /// Counted operations relative to those of the dense step.
    package let flopRatio: Double
    /// η; nil where the time is less than that of all but the maps.
    package let efficiency: Double?
  }

  /// L.
  package let length: Int
  /// Seconds of the dense step.
  package let denseSeconds: Double
  /// By rank.
  package let rows: [Row]

  /// What a log holds of the layer at a length; nil without the dense step and a narrow one.
  package init?(_ log: GreenformersLog, length: Int) {
    let measured = log.medians.filter { $0.key.part == .layer && $0.key.length == length }
    guard let (cell, dense) = measured.first(where: { $0.key.rank == nil }), dense.stepS > 0 else {
      return nil
    }
    self.length = length
    denseSeconds = dense.stepS
    let tokens = Double(cell.batch * length)
    let shape = EncoderShape.bertBase
    let mapFlops = 6 * Double(shape.mapValues(.dense)) * tokens
    let share = min(1, mapFlops / Double(max(1, dense.result.flops)))
    rows = measured.compactMap { cell, median -> Row? in
      guard let rank = cell.rank else { return nil }
      let ratio = median.stepS / dense.stepS
      let narrow = Double(shape.mapValues(.rank(rank))) / Double(shape.mapValues(.dense))
      let rest = ratio - (1 - share)
      return Row(
        rank: rank, seconds: median.stepS, timeRatio: ratio,
        flopRatio: Double(median.result.flops) / Double(max(1, dense.result.flops)),
        efficiency: rest > 0 ? share * narrow / rest : nil)
    }.sorted { $0.rank < $1.rank }
    if rows.isEmpty { return nil }
  }
}

extension NarrowEfficiency {
  /// As measured in a folder, of the length that most of BERT's steps have; nil without a measurement on
  /// this processor.
  package init?(folder: String, processor: String) {
    let log = GreenformersLog(folder: folder, processor: processor)
    self.init(log, folder: folder)
  }

  /// As a log has it.
  init?(_ log: GreenformersLog, folder: String) {
    guard let length = PretrainingPlan.bert.phases.first?.length,
      let layer = LayerEfficiency(log, length: length), let threads = log.threads
    else { return nil }
    let all = layer.rows.compactMap { row in
      row.efficiency.map { Measurement(rank: row.rank, efficiency: $0) }
    }
    guard !all.isEmpty else { return nil }
    let rounds = log.records.filter { $0.cell.part == .layer }.map(\.round).max().map { $0 + 1 }
    self = .measured(
      all,
      source: """
        a layer of E 768, F 3072 at L \(length), \(log.processor ?? ""), \
        \(counted(threads, "thread")), \(counted(rounds ?? 0, "round")), in \(folder)
        """)
  }
}
