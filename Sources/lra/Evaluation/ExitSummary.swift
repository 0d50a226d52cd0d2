// SPDX-License-Identifier: Apache-2.0

import Base
import Reports
import Runs
import Training

/// What exits do, as a part of the result of `lra evaluate --exit`.
struct ExitSummary: Encodable {
  /// The answers of one exit.
  struct Exit: Encodable {
    /// The blocks before it.
    let blocks: Int
    let count: Int
    /// The share of all examples.
    let share: Double
    let accuracy: Double
    let accuracyStderr: Double

    init(blocks: Int, _ result: Evaluation, of all: Int) {
      self.blocks = blocks
      (count, accuracy, accuracyStderr) = (result.count, result.accuracy, result.error)
      share = Double(count) / Double(max(all, 1))
    }
  }

  /// What leaving with a confidence would do.
  struct Threshold: Encodable {
    let confidence: Double
    let accuracy: Double
    let meanBlocks: Double
  }

  /// The least probability with which examples left; nil where every exit answered all.
  let confidence: Double?
  /// Blocks of the whole model.
  let blocks: Int
  /// The mean number of blocks of an example.
  let meanBlocks: Double
  /// By exit, the whole model last.
  let exits: [Exit]
  /// For the choice of a confidence; empty on the test split, which must not choose it.
  let thresholds: [Threshold]

  /// Sums up answers that left with a confidence.
  init(_ answers: [Prediction], blocks: Int, leavingAt confidence: Double) {
    self.confidence = confidence
    self.blocks = blocks
    meanBlocks =
      Double(answers.reduce(0) { $0 + ($1.blocks ?? blocks) }) / Double(max(answers.count, 1))
    exits = (1...blocks).map { depth in
      Exit(
        blocks: depth, Evaluation(answers.filter { $0.blocks == depth }), of: answers.count)
    }
    thresholds = []
  }

  /// Sums up the answers of all exits.
  ///
  /// - Parameter choosing: whether a confidence may be chosen by them.
  init(_ answers: ExitAnswers, choosing: Bool) {
    confidence = nil
    blocks = answers.predictions.count
    meanBlocks = Double(blocks)
    exits = answers.evaluations.enumerated().map {
      Exit(blocks: $0.offset + 1, $0.element, of: $0.element.count)
    }
    let confidences = choosing ? ExitAnswers.confidences : []
    thresholds = confidences.map { confidence in
      let outcome = answers.outcome(leavingAt: confidence)
      return Threshold(
        confidence: confidence, accuracy: outcome.evaluation.accuracy,
        meanBlocks: outcome.meanBlocks)
    }
  }

  /// The line for people.
  var text: String {
    guard let confidence else { return "exits     all examples by each" }
    return
      "exits     confidence \(confidence): \(formatNumber("%.2f", meanBlocks)) of \(blocks) blocks on "
      + "average (\(formatPercent(meanBlocks / Double(blocks))))"
  }

  /// Its tables for people and as CSV.
  var tables: [ReportTable] {
    var byExit = ReportTable(
      id: "exits", title: "By exit", caption: "",
      columns: [
        .number("blocks"), .number("examples"), .number("share, %"), .number("accuracy, %"),
        .number("±, %"),
      ])
    for exit in exits {
      byExit.add(
        [.init(Double(exit.blocks), decimals: 0), .init(Double(exit.count), decimals: 0)]
          + [.init(exit.share * 100, decimals: 1)]
          + [exit.accuracy, exit.accuracyStderr].map { value in
            .init(exit.count == 0 ? nil : value * 100, decimals: 1)
          })
    }
    guard !thresholds.isEmpty else { return [byExit] }
    var byConfidence = ReportTable(
      id: "confidences", title: "Leaving with a confidence", caption: "",
      columns: [.text("--exit"), .number("blocks on average"), .number("accuracy, %")])
    for threshold in thresholds {
      byConfidence.add([
        .init("\(threshold.confidence)"), .init(threshold.meanBlocks, decimals: 2),
        .init(threshold.accuracy * 100, decimals: 1),
      ])
    }
    return [byExit, byConfidence]
  }
}
