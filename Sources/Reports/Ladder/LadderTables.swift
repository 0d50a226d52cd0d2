// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine

/// The tables of a ladder: what its rows lose, how large and fast they are, and what their training takes.
package struct LadderTables {
  private let ladder: LadderRecord

  package init(_ ladder: LadderRecord) { self.ladder = ladder }

  /// All three.
  package var all: [ReportTable] { [accuracy, answers, training] }

  /// The tables in Markdown.
  package var markdown: String { all.map { $0.markdown() }.joined(separator: "\n") }

  /// The tables for a screen.
  package var text: String { all.map(\.text).joined(separator: "\n\n") }

  // MARK: Accuracy

  private var accuracy: ReportTable {
    var table = ReportTable(
      id: id("accuracy"), title: "Ladder, \(subject): accuracy", caption: caption,
      columns: [
        .text("row"), .number("val"), .number("test"), .number("lost"), .text("95 %"),
        .text("seeds"), .number("p"), .number("lost at most"), .text("verdict"),
      ],
      notes: accuracyNotes)
    for row in ladder.rows {
      let seeds = row.comparison.flatMap { comparison in
        comparison.seedLow.flatMap { low in
          comparison.seedHigh.map { Self.interval(low, $0) }
        }
      }
      table.add([
        name(row), percent(row.validation),
        ReportTable.Cell(
          row.accuracy.map { "\(Self.points($0)) ± \(Self.points(row.error ?? 0))" } ?? "",
          value: row.accuracy.map { 100 * $0 }),
        percent(row.comparison?.loss),
        ReportTable.Cell(row.comparison.map { Self.interval($0.low, $0.high) } ?? ""),
        ReportTable.Cell(seeds ?? ""),
        ReportTable.Cell(
          row.comparison.map { Self.probability($0.probability) } ?? "",
          value: row.comparison?.probability),
        percent(row.comparison?.bound),
        ReportTable.Cell(row.failure == nil ? row.comparison?.verdict.rawValue ?? "" : "failed"),
      ])
    }
    return table
  }

  private var accuracyNotes: [String] {
    let compared = ladder.rows.compactMap(\.comparison)
    let provable = compared.map(\.provable).max()
    let models = ladder.rows.first?.models ?? 0
    return [
      "Per cent and points, \(models == 1 ? "one model" : "\(models) models") a row. \"lost\": accuracy of "
        + "the baseline less that of the row, on the same test examples; \"lost at most\": one-sided at 5 %. "
        + (models > 2 ? "\"seeds\": the interval by the losses of the seeds. " : "")
        + "p: McNemar's exact test" + (models > 1 ? ", over examples" : "")
        + "; of methods alone p and verdict are corrected by Holm.",
      "Not inferior: the loss is shown to be below \(Self.points(ladder.margin)) points; not shown is not "
        + "equal."
        + (provable.map {
          $0 > ladder.margin
            ? " With so many unequal answers no margin below \(Self.points($0)) could be shown for every "
              + "row, even if nothing were lost."
            : ""
        } ?? ""),
      choice,
    ] + ladder.notes
      + ladder.rows.compactMap { row in row.failure.map { "\(row.title): failed, \($0)" } }
  }

  private var choice: String {
    let what = ladder.chosen.isEmpty ? "no method" : ladder.chosen.joined(separator: " + ")
    return "Chosen for \(ladder.goal.rawValue), by validation examples: \(what)."
  }

  // MARK: Size and speed

  private var answers: ReportTable {
    var table = ReportTable(
      id: id("answers"), title: "Ladder, \(subject): size and answers", caption: machine,
      columns: [
        .text("row"), .number("weights"), .number("not 0"), .number("file"), .number("ms"),
        .number("95 %"), .number("x"), .number("32: /s"), .number("x"), .number("MiB"),
        .number("MFLOP"), .number("J"),
      ],
      notes: [
        "ms: the answer to a validation example, from embedding to logits, median, and 95th percentile; "
          + "/s: examples a second, 32 at once. x: how many times as fast as the baseline, which was measured "
          + "in turns with the row. Weights stay in memory in the form that products take."
      ] + energyNotes)
    for row in ladder.rows {
      table.add([
        name(row), count(row.weights),
        row.nonzero == row.weights ? .empty : count(row.nonzero),
        ReportTable.Cell(row.bytes.map(formatBytes) ?? "", value: row.bytes.map(Double.init)),
        ReportTable.Cell(row.latency.map { 1e3 * $0.seconds }, decimals: 2),
        ReportTable.Cell(row.latency95.map { 1e3 * $0 }, decimals: 2), gain(row.latency, of: row),
        ReportTable.Cell(row.throughput.map { 1 / $0.seconds }, decimals: 1),
        gain(row.throughput, of: row), mebibytes(row.answeringBytes),
        ReportTable.Cell(row.flops.map { Double($0) / 1e6 }, decimals: 1),
        energy(row.answerEnergy, unit: 1),
      ])
    }
    return table
  }

  // MARK: Training

  private var training: ReportTable {
    var table = ReportTable(
      id: id("training"), title: "Ladder, \(subject): training", caption: machine,
      columns: [
        .text("row"), .number("steps"), .number("as run"), .number("in turns"), .number("x"),
        .number("MiB"), .number("kJ"),
      ],
      notes: [
        "Of all runs that a row needs, the baseline too where a method begins with it. As run: "
          + "\(counted(ladder.jobs, "training")) at once; in turns: steps times the median step, measured "
          + "in turns with the baseline. The last row is the search: all processes of this ladder."
      ] + energyNotes)
    for row in ladder.rows {
      table.add([
        name(row), count(row.steps), duration(row.trainingSeconds),
        duration(row.training?.seconds), gain(row.training, of: row), mebibytes(row.trainingBytes),
        energy(row.trainingEnergy, unit: 1e3),
      ])
    }
    table.add(
      [ReportTable.Cell("search"), .empty, duration(ladder.searchSeconds)]
        + Array(repeating: .empty, count: 4))
    return table
  }

  // MARK: Parts

  private var subject: String { "\(ladder.task), \(ladder.model), preset \(ladder.preset)" }

  private var caption: String {
    let seeds = ladder.seeds.map(String.init).joined(separator: ", ")
    return "\(ladder.seeds.count == 1 ? "seed" : "seeds") \(seeds)"
      + (ladder.changed.isEmpty ? "" : "; changed: \(ladder.changed.joined(separator: ", "))")
  }

  private var machine: String { "\(ladder.processor), \(counted(ladder.threads, "thread"))" }

  private var energyNotes: [String] {
    let estimates = ladder.rows.flatMap { [$0.answerEnergy, $0.trainingEnergy] }
    let sources = Set(estimates.compactMap { $0?.joules == nil ? nil : $0?.source.rawValue })
    return sources.isEmpty
      ? []
      : [
        "Source of energy: \(sources.sorted().joined(separator: ", ")). The processor's counters (rapl) are "
          + "within 5 %, a model of the machine within half and 1.5 times."
      ]
  }

  private func energy(_ estimate: EnergyEstimate?, unit: Double) -> ReportTable.Cell {
    let amount = estimate?.joules.map { $0.value / unit }
    return ReportTable.Cell(amount.map(formatSignificant) ?? "", value: amount)
  }

  private func id(_ part: String) -> String {
    ReportTable.identifier(
      "ladder-\(ladder.task)-\(ladder.model)-\(ladder.preset)-\(ladder.goal.rawValue)-\(part)")
  }

  /// A combination is named in the notes.
  private func name(_ row: LadderRow) -> ReportTable.Cell {
    ReportTable.Cell(row.role == .combination ? "all chosen" : row.title)
  }

  private func percent(_ value: Double?) -> ReportTable.Cell {
    ReportTable.Cell(value.map(Self.points) ?? "", value: value.map { 100 * $0 })
  }

  private func count(_ value: Int?) -> ReportTable.Cell {
    ReportTable.Cell(value.map(formatCount) ?? "", value: value.map(Double.init))
  }

  private func mebibytes(_ bytes: Int?) -> ReportTable.Cell {
    ReportTable.Cell(bytes.map { Double($0) / 1_048_576 }, decimals: 0)
  }

  private func duration(_ seconds: Double?) -> ReportTable.Cell {
    ReportTable.Cell(seconds.map { formatDuration(seconds: $0) } ?? "", value: seconds)
  }

  private func gain(_ time: LadderRow.Time?, of row: LadderRow) -> ReportTable.Cell {
    row.role == .baseline ? .empty : ReportTable.Cell(time?.gain, decimals: 2)
  }

  private static func points(_ share: Double) -> String {
    let text = formatNumber("%.1f", 100 * share)
    return text == "-0.0" ? "0.0" : text
  }

  private static func interval(_ low: Double, _ high: Double) -> String {
    "\(points(low)) to \(points(high))"
  }

  private static func probability(_ value: Double) -> String {
    value < 0.001 ? "< 0.001" : formatNumber("%.3f", value)
  }
}

extension LadderTables {
  /// The ladders of folders, and of the folders right in them; of equal ladders the last.
  package static func records(_ folders: [String]) -> (ladders: [LadderRecord], problems: [String])
  {
    var ladders: [LadderRecord] = []
    var problems: [String] = []
    for folder in folders {
      for place in [folder] + FileSystem.names(in: folder).map({ "\(folder)/\($0)" }) {
        let lines = JSONLines<LadderRecord>("\(place)/\(LadderRecord.fileName)", of: "ladder")
        problems += lines.problems
        for ladder in lines.values {
          ladders.removeAll { $0.isSameQuestion(as: ladder) }
          ladders.append(ladder)
        }
      }
    }
    return (ladders, problems)
  }
}

extension LadderRecord {
  /// Whether both answer the same question on the same kind of machine.
  fileprivate func isSameQuestion(as other: LadderRecord) -> Bool {
    (task, model, preset, length, goal) == (
      other.task, other.model, other.preset, other.length, other.goal
    )
      && (changed, processor, threads) == (other.changed, other.processor, other.threads)
  }
}
