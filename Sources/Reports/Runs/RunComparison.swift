// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Runs
import Tasks

/// Runs side by side: what differs in them, what came out, and whether the difference is more than luck.
package struct RunComparison {
  /// The paired test of the first run and another one.
  package struct Pair: Encodable {
    /// The two runs' names.
    package let first: String
    /// The other run's name.
    package let second: String
    /// The test; nil where it cannot be made.
    package let test: PairedTest?
    /// Why it cannot be made.
    package let reason: String?
  }

  /// A run's accuracy over training.
  package struct Curve: Encodable {
    /// The run's name.
    package let run: String
    /// The evaluations on validation examples, in order.
    package let validation: [RunRecord.Point]
  }

  /// The runs.
  package let runs: [RunRecord]

  /// Compares runs.
  package init(_ runs: [RunRecord]) { self.runs = runs }

  /// The settings that are not the same in all runs, a column a run.
  package var differences: ReportTable {
    var table = ReportTable(
      id: "differences", title: "Settings that differ", caption: "",
      columns: [.text("setting")] + runs.map { .text($0.name) })
    var keys: [String] = []
    for run in runs {
      for entry in run.settings.entries where !keys.contains(entry.key) { keys.append(entry.key) }
    }
    for key in keys {
      let values = runs.map { $0.settings[key]?.description ?? "" }
      if Set(values).count > 1 {
        table.add([ReportTable.Cell(key)] + values.map { ReportTable.Cell($0) })
      }
    }
    return table
  }

  /// What came out, a column a run.
  package var results: ReportTable {
    var table = ReportTable(
      id: "results", title: "Results", caption: "",
      columns: [.text("")] + runs.map { .number($0.name) })
    table.add(
      [ReportTable.Cell("val")]
        + runs.map { ReportTable.Cell($0.validationAccuracy.map(formatPercent) ?? "") })
    var rows: [(String, (RunResult) -> String)] = [
      ("test, best", { $0.testBest.formattedAccuracy }),
      ("test, last", { $0.testLast.formattedAccuracy }),
      ("test loss", { formatNumber("%.4f", $0.test.loss) }),
      ("steps", { formatCount($0.steps) }), ("weights", { formatCount($0.parameters) }),
      ("training", { formatDuration(seconds: $0.trainingSeconds) }),
      ("steps/s", { String(format: "%.2f", $0.stepsPerSecond) }),
      ("peak memory", { formatBytes($0.peakResidentBytes) }),
    ]
    if runs.contains(where: { $0.result?.energy != nil }) {
      rows.append(("energy", { $0.energy?.text ?? "" }))
    }
    for (name, value) in rows {
      table.add(
        [ReportTable.Cell(name)]
          + runs.map { ReportTable.Cell($0.result.map(value) ?? ($0.status?.rawValue ?? "")) })
    }
    return table
  }

  /// What to beware of: other data, other protocols.
  package var warnings: [String] {
    guard let first = runs.first, let base = RunConditions(first) else { return [] }
    return runs.dropFirst().flatMap { run -> [String] in
      guard let other = RunConditions(run) else { return [] }
      let parts: [(Bool, String)] = [
        (base.task != other.task, "another task"), (base.data != other.data, "other data"),
        (base.trainCount != other.trainCount, "another number of training examples"),
        (base.length != other.length, "another length"),
        (base.preset != other.preset, "another preset"),
        (base.hasOwnSteps != other.hasOwnSteps, "another schedule"),
        (base.pretraining != other.pretraining, "another protocol of self-pretraining"),
        (base.validation != other.validation, "another choice of the checkpoint"),
      ]
      let found = parts.filter(\.0).map(\.1)
      return found.isEmpty
        ? [] : ["\(run.name) has \(found.joined(separator: ", ")) than \(first.name)"]
    }
  }

  /// The runs' evaluations on validation examples.
  package var curves: [Curve] {
    runs.map { Curve(run: $0.name, validation: $0.validation) }
  }

  /// The curves of validation accuracy in per cent, drawn with characters.
  package func plot(width: Int) -> String {
    TextPlot(
      runs.map { run in
        TextPlot.Curve(
          name: run.name, points: run.validation.map { (Double($0.step), $0.accuracy * 100) })
      }, width: width
    ).text
  }

  /// The first run against each other one, from the answers that the folders keep.
  package var pairs: [Pair] {
    guard let first = runs.first else { return [] }
    return runs.dropFirst().map { pair(first, $0) }
  }

  private func pair(_ first: RunRecord, _ second: RunRecord) -> Pair {
    let failed = { (reason: String) in
      Pair(first: first.name, second: second.name, test: nil, reason: reason)
    }
    do {
      let answers = try (Self.answers(first), Self.answers(second))
      guard data(first, answers.0) == data(second, answers.1) else { return failed("other data") }
      let test = PairedTest(answers.0, answers.1)
      guard let test else { return failed("the answers are not to the same examples") }
      return Pair(first: first.name, second: second.name, test: test, reason: nil)
    } catch let error as UserError {
      return failed("\(error.problem); \(error.remedy)")
    } catch {
      return failed(error.localizedDescription)
    }
  }

  /// The content hash of the data that answers are to; files from before it was kept in them go by
  /// the run's result.
  private func data(_ run: RunRecord, _ answers: [Prediction]) -> String? {
    answers.first?.data ?? run.result?.dataHash
  }

  /// The file of the answers that a run's result goes by; nil for a run without a folder.
  package static func answersFile(_ run: RunRecord) -> String? {
    run.folder.map { PredictionFile.path(in: $0, .test, run.result?.select ?? .best) }
  }

  private static func answers(_ run: RunRecord) throws -> [Prediction] {
    guard let file = answersFile(run) else {
      throw UserError(
        .missingInput, "\(run.name) was published without its answers",
        remedy: "make it again with lra reproduce \(shellQuoted(run.name)) --run")
    }
    guard FileManager.default.fileExists(atPath: file) else {
      throw UserError(
        .missingInput, "\(run.name) keeps no answers",
        remedy: "make them with \(programWord) evaluate \(shellQuoted(run.path)) --checkpoint "
          + (run.result?.select ?? .best).rawValue)
    }
    let answers = try PredictionFile.read(file)
    if let data = answers.first?.data, let own = run.result?.dataHash, data != own {
      throw UserError(
        .badData, "\(file) answers other data, \(data), than the result's, \(own)",
        remedy: "remove the file and run lra evaluate again")
    }
    return answers
  }
}
