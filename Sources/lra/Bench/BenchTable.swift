// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Training

/// What is known of a cell after its process has ended: the line it printed, or why there is none.
struct BenchLine {
  /// The cell's variant.
  let model: String
  /// The cell's length in tokens.
  let length: Int
  /// The line as JSON.
  let json: String
  /// The measurement, nil when the cell failed.
  let result: BenchmarkResult?
  /// Why it failed.
  let error: String?

  private struct Failure: Codable {
    let model: String
    let length: Int
    let error: String
  }

  /// Reads the output of a cell's process.
  init(
    _ outcome: (output: String, end: ChildProcess.End), model: String, length: Int
  ) throws {
    self.model = model
    self.length = length
    let line = outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    if outcome.end == .exited(0),
      let result = try? SnakeCaseJSON.checked(BenchmarkResult.self, from: line.utf8)
    {
      (json, self.result, error) = (line, result, nil)
      return
    }
    let told = try? JSONDecoder().decode(Failure.self, from: Data(line.utf8))
    let reason = told?.error ?? outcome.end.reason
    (json, result, error) = (try Self.failure(model, length, reason), nil, reason)
  }

  /// The line of a cell that failed.
  static func failure(_ model: String, _ length: Int, _ reason: String) throws -> String {
    try jsonText(Failure(model: model, length: length, error: reason), oneLine: true)
  }
}

/// The results for people, printed line by line as they come.
enum BenchTable {
  private static let columns = [
    ("model", 14), ("length", 6), ("step ms", 9), ("tokens/s", 9), ("peak MiB", 8),
    ("tensor MiB", 10), ("GFLOP/s", 7), ("of peak", 8), ("J/step", 7), ("params", 10),
  ]
  private static let widths = columns.map(\.1)

  /// The names of the columns.
  static var heading: String { formatRow(columns.map(\.0), widths: widths) }

  /// What to know of shares above the whole; nil where there are none.
  static func remark(_ results: [BenchmarkResult]) -> String? {
    guard results.contains(where: { ($0.mfu ?? 0) > 1 }) else { return nil }
    return """
      above 100 %: the yardstick is OpenBLAS's sgemm, measured right after each cell; our kernels can \
      be faster than it, and a shared machine's speed changes between the two
      """
  }

  /// One cell.
  static func row(_ line: BenchLine) -> String {
    guard let result = line.result else {
      return formatRow([line.model, "\(line.length)"], widths: widths)
        + "  failed: \(line.error ?? "")"
    }
    let fixed: (Double, Int) -> String = { String(format: "%.\($1)f", $0) }
    return formatRow(
      [
        result.model, "\(result.length)", fixed(result.stepS * 1e3, 1),
        formatCount(result.tokensPerS), "\(result.peakRssMib)", fixed(result.peakTensorMib, 1),
        fixed(result.gflopsPerS, 1), result.mfu.map(formatPercent) ?? "-",
        result.energyJ.map { fixed($0, 2) } ?? "-", formatCount(result.params),
      ], widths: widths)
  }
}
