// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Machine
import Models
import Training

/// How fast a run's model answers: the time of one example, and how many a second 32 at once are.
struct RunSpeed: Encodable {
  let run: String
  let processor: String?
  let model: String
  /// Tokens of an example; none is padded.
  let length: Int
  /// Of the operands of linear maps, and the instructions of their products.
  let precision: String
  let kernel: String
  let params: Int
  let weightBytes: Int
  let threads: Int
  /// Seconds of the median pass over one example.
  let latencyS: Double
  /// Examples a second in the median pass over 32.
  let examplesPerS: Double

  /// Measures the model of a run's best checkpoint with random tokens.
  ///
  /// - Parameter steps: passes that are timed, after one that is not.
  /// - Throws: `UserError` for a run that cannot be read.
  init(_ run: String, steps: Int) throws {
    let session = try AnsweringSession(run)
    let model = session.saved.model
    let turn = session.turn(passes: steps, ofMany: steps)
    self.run = run
    processor = RunEnvironment.cpuModel
    self.model = model.configuration.name
    length = model.configuration.length
    precision = model.precision.rawValue
    kernel = ProductKernel.used(for: model.precision).rawValue
    params = model.parameters.count
    weightBytes = model.weightBytes
    threads = Workers.shared.count
    latencyS = median(turn.latencyS)
    examplesPerS = Double(AnsweringSession.manyAtOnce) / median(turn.manyS)
  }

  static func table(_ runs: [RunSpeed]) -> String {
    formatTable(
      [["run", "model", "length", "weights", "bytes", "precision", "1 example", "32 at once"]]
        + runs.map { speed in
          [
            speed.run, speed.model, formatCount(speed.length), formatCount(speed.params),
            formatBytes(speed.weightBytes), speed.precision,
            formatNumber("%.2f ms", 1e3 * speed.latencyS),
            formatNumber("%.1f/s", speed.examplesPerS),
          ]
        }, leading: 2)
  }
}
