// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Where a run stands, for one line on the screen.
package struct TrainingProgress: Sendable, Equatable {
  /// Optimizer steps done, counted from 1.
  package var step: Int
  /// Steps of the whole run.
  package var steps: Int
  /// Mean training loss since the previous report.
  package var loss: Double
  /// Training accuracy since the previous report, in 0…1.
  package var accuracy: Double
  /// The learning rate.
  package var rate: Double
  /// Optimizer steps a second.
  package var stepsPerSecond: Double
  /// Seconds to the end, when they can be guessed.
  package var eta: Double?

  /// Makes a report.
  package init(
    step: Int, steps: Int, loss: Double, accuracy: Double, rate: Double, stepsPerSecond: Double,
    eta: Double? = nil
  ) {
    self.step = step
    self.steps = steps
    self.loss = loss
    self.accuracy = accuracy
    self.rate = rate
    self.stepsPerSecond = stepsPerSecond
    self.eta = eta
  }
}

extension TrainingProgress: CustomStringConvertible {
  /// `step  1200/5000  loss 1.9312  accuracy 32.4 %  lr 9.8e-05  2.41 steps/s  ETA 26 min`.
  package var description: String { parts.map(\.text).joined(separator: "  ") }

  /// The line for a screen of so many columns: whole parts are left out, the rate first, never a digit of
  /// a number; the time to the end stays longest.
  package func line(columns: Int) -> String {
    var parts = parts
    let text = { parts.map(\.text).joined(separator: "  ") }
    while text().count > columns, parts.count > 1,
      let least = parts.indices.max(by: { parts[$0].rank < parts[$1].rank })
    {
      parts.remove(at: least)
    }
    return String(text().prefix(max(0, columns)))
  }

  /// The parts of the line; those of greater rank give way first.
  private var parts: [(text: String, rank: Int)] {
    let count = "\(step)"
    let padding = String(repeating: " ", count: max(0, "\(steps)".count - count.count))
    let speed = stepsPerSecond < 100 ? "%.2f steps/s" : "%.0f steps/s"
    return [
      ("step  \(padding)\(count)/\(steps)", 0),
      ("loss " + formatNumber("%.4f", loss), 2),
      ("accuracy \(formatPercent(accuracy))", 3),
      (String(format: "lr %.1e", rate), 5),
      (String(format: speed, stepsPerSecond), 4),
    ] + (eta.map { [("ETA \(formatDuration(seconds: $0))", 1)] } ?? [])
  }
}
