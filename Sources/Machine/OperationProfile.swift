// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation

/// Where the time of a step goes, operation by operation.
///
/// Call `Profiler.shared.reset(timing: true)` before the steps. Operations do not nest, so what is
/// left of the wall time was spent outside of them: in bookkeeping, and in loading data.
package struct OperationProfile: Sendable, Equatable {
  /// One operation, for one step.
  package struct Line: Sendable, Equatable {
    /// The operation.
    package let name: String
    /// How often it ran.
    package let calls: Double
    /// Seconds.
    package let seconds: Double
    /// Part of the step's wall time, 0...1.
    package let share: Double
    /// Floating-point operations a nanosecond, nil where it counts none.
    package let gflopsPerS: Double?
    /// Bytes that it must move at least, a nanosecond; nil where it counts none.
    package let gigabytesPerS: Double?
    /// The time that the machine needs at least, as a part of what it took; above 1 where operands
    /// came from a cache, nil where nothing is counted or the machine's limits are not known.
    package let shareOfBound: Double?
  }

  /// The operations, the longest first, and what lies outside of them at the end.
  package let lines: [Line]
  /// Seconds of wall time a step.
  package let stepSeconds: Double

  /// The mean of several steps.
  ///
  /// - Parameters:
  ///   - statistics: of all steps together.
  ///   - steps: the number of steps, at least 1.
  ///   - seconds: the wall time of all steps together, above zero.
  ///   - roofline: the machine's limits.
  package init(
    _ statistics: [String: OperationStatistics], steps: Int, seconds: Double,
    roofline: Roofline? = nil
  ) {
    let order = statistics.sorted { ($1.value.seconds, $0.key) < ($0.value.seconds, $1.key) }
    let perStep = 1 / Double(steps)
    let inside = statistics.values.reduce(0) { $0 + $1.seconds }
    let rest = max(0, seconds - inside)
    lines =
      order.map { name, own in
        let rate: (Int) -> Double? = { count in
          count > 0 && own.seconds > 0 ? Double(count) / own.seconds / 1e9 : nil
        }
        return Line(
          name: name, calls: Double(own.calls) * perStep, seconds: own.seconds * perStep,
          share: own.seconds / seconds, gflopsPerS: rate(own.flops),
          gigabytesPerS: rate(own.bytes),
          shareOfBound: roofline.flatMap {
            guard own.seconds > 0, own.flops + own.bytes > 0 else { return nil }
            return $0.seconds(flops: own.flops, bytes: own.bytes) / own.seconds
          })
      } + [
        Line(
          name: "outside operations", calls: 0, seconds: rest * perStep, share: rest / seconds,
          gflopsPerS: nil, gigabytesPerS: nil, shareOfBound: nil)
      ]
    stepSeconds = seconds * perStep
  }

  /// The profile as an aligned table, with a heading.
  package var table: String {
    let heading = ["operation", "ms/step", "share", "GFLOP/s", "GB/s", "of bound", "calls/step"]
    let table = formatTable(
      [heading]
        + lines.map { line in
          [
            line.name, String(format: "%.2f", line.seconds * 1e3), formatPercent(line.share),
            line.gflopsPerS.map { String(format: "%.1f", $0) } ?? "",
            line.gigabytesPerS.map { String(format: "%.1f", $0) } ?? "",
            line.shareOfBound.map { String(format: "%.0f %%", 100 * $0) } ?? "",
            line.calls > 0 ? String(format: "%.4g", line.calls) : "",
          ]
        })
    guard lines.contains(where: { ($0.shareOfBound ?? 0) > 1 }) else { return table }
    return table + "\nabove 100 % of the bound: operands came from a cache, not from main memory"
  }
}
