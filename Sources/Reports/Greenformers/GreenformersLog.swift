// SPDX-License-Identifier: Apache-2.0

import Base
import Training

/// One measurement of a cell.
package struct GreenformersRecord: Codable, Sendable, CheckedValue {
  /// What was measured.
  package var cell: GreenformersCell
  /// The round, from 0.
  package var round: Int
  /// As `lra bench` measured it.
  package var result: BenchmarkResult

  package init(cell: GreenformersCell, round: Int, result: BenchmarkResult) {
    (self.cell, self.round, self.result) = (cell, round, result)
  }

  /// Checks the parts.
  package func check() throws(FieldFault) {
    try FieldRange.count.check(["round": round])
    try cell.check(in: "cell")
    try result.check(in: "result")
  }
}

/// The measurements of a folder, `greenformers.jsonl`, of one processor and number of threads.
package struct GreenformersLog: Sendable {
  /// The name of the file.
  package static let fileName = "greenformers.jsonl"

  /// The median of a cell's rounds.
  package struct Median: Sendable {
    /// Rounds.
    package let rounds: Int
    /// Seconds a step.
    package let stepS: Double
    /// Joules a step as counted; nil without counters.
    package let joules: Double?
    /// The rest, of the last round.
    package let result: BenchmarkResult
  }

  /// The measurements.
  package let records: [GreenformersRecord]
  /// Lines that are none, each with the file and the line's number.
  package let problems: [String]
  /// The processor; nil without a measurement.
  package let processor: String?
  /// Threads; nil without a measurement.
  package let threads: Int?
  /// By cell.
  package let medians: [GreenformersCell: Median]

  /// Reads the file in a folder; one that does not exist holds nothing.
  ///
  /// - Parameters:
  ///   - processor: whose measurements are wanted; nil for those of the last line's.
  ///   - threads: with how many; nil for those of the last line that fits.
  package init(folder: String, processor: String? = nil, threads: Int? = nil) {
    let lines = JSONLines<GreenformersRecord>(
      "\(folder)/\(Self.fileName)", of: "measurement of lra report greenformers")
    self.init(lines.values, problems: lines.problems, processor: processor, threads: threads)
  }

  /// Takes measurements.
  package init(
    _ all: [GreenformersRecord], problems: [String] = [], processor: String? = nil,
    threads: Int? = nil
  ) {
    let last = all.last {
      (processor == nil || $0.result.processor == processor)
        && (threads == nil || $0.result.threads == threads)
    }
    records = all.filter {
      last != nil && $0.result.processor == last?.result.processor
        && $0.result.threads == last?.result.threads
    }
    self.problems = problems
    (self.processor, self.threads) = (last?.result.processor, last?.result.threads)
    medians = Dictionary(grouping: records, by: \.cell).compactMapValues { records in
      guard let last = records.last else { return nil }
      let joules = records.compactMap(\.result.energyJ)
      return Median(
        rounds: records.count, stepS: median(records.map(\.result.stepS)),
        joules: joules.count == records.count ? median(joules) : nil, result: last.result)
    }
  }

  /// Whether a cell was measured in a round.
  package func has(_ cell: GreenformersCell, round: Int) -> Bool {
    records.contains { $0.cell == cell && $0.round == round }
  }
}
